/** The address without the name and password that it may hold, with or without `scheme://`; a password may hold anything. */
export function withoutUserInfo(address: string): string {
  return address.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1***@');
}

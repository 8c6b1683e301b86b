import { Injectable } from '@nestjs/common';

/** Characters of a parameter in an address, once it is decoded. */
export const MAX_PARAM_LENGTH = 200;

/** Remembers which methods each route knows, so that a wrong method is told from a wrong address. */
@Injectable()
export class RouteIndex {
  private readonly routes: Array<{ readonly pattern: RegExp; readonly methods: readonly string[] }> = [];

  add(url: string, methods: readonly string[]): void {
    const source = url
      .split('/')
      .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : escapePattern(part)))
      .join('/');
    this.routes.push({ pattern: new RegExp(`^${source}$`), methods });
  }

  methodsOf(path: string): string[] {
    const methods = this.routes.filter((route) => route.pattern.test(path)).flatMap((route) => route.methods);
    return [...new Set(methods)].sort();
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

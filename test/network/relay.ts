// Listens in a network namespace and hands every connection to a socket in the file system, which reaches out of it.
// Run as `node relay.ts <address> <port> <path>`; says that it listens, and ends with its standard input.
import { connect, createServer } from 'node:net';

const [address = '', port = '', path = ''] = process.argv.slice(2);
const server = createServer((inside) => {
  const outside = connect(path);
  inside.on('error', () => outside.destroy());
  outside.on('error', () => inside.destroy());
  inside.pipe(outside);
  outside.pipe(inside);
});
server.listen(Number(port), address, () => console.log('listening'));
process.stdin.on('end', () => process.exit(0)).resume();

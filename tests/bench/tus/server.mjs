// server.mjs PORT FOLDER - the reference server of tus with its file store, to measure
// against. What it imports stands in NODE_MODULES.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.NODE_MODULES, 'here.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Server } = await load('@tus/server');
const { FileStore } = await load('@tus/file-store');
const [port, directory] = process.argv.slice(2);
const server = new Server({ path: '/files', datastore: new FileStore({ directory }) });
createServer(server.handle.bind(server)).listen(Number(port), '127.0.0.1');

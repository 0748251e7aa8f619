// upload.mjs CLIENT FILE OPTIONS - uploads a file as a program with tus-js-client, or Uppy
// with its tus plugin, would, and prints how it went: the URL, how often it was tried
// again, and whether it was paused and taken up again from its offset on the way.
//
// OPTIONS (JSON): endpoint, headers, metadata, chunkSize, delays (of tries), pauseAt (bytes),
// parallel, url (of an upload to be gone on with). What it imports stands in NODE_MODULES.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.NODE_MODULES, 'here.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const [client, path, text] = process.argv.slice(2);
const options = JSON.parse(text);
const data = readFileSync(path);
const seen = { retried: 0, paused: 0, offsets: [] };
const common = {
  endpoint: options.endpoint,
  headers: options.headers,
  chunkSize: options.chunkSize ?? Infinity,
  retryDelays: options.delays ?? [0, 100, 300, 1000, 1000, 2000],
  parallelUploads: options.parallel ?? 1,
  storeFingerprintForResuming: false,
  onShouldRetry: (error) => {
    seen.retried += 1;
    const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
    return status === 0 || status >= 500 || status === 409 || status === 423;
  },
};

async function byTus() {
  const tus = await load('tus-js-client');
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(data, {
      ...common,
      uploadUrl: options.url ?? null,
      metadata: options.metadata,
      onError: reject,
      onProgress: (sent) => seen.offsets.push(sent),
      onChunkComplete: async (_, accepted) => {
        if (options.pauseAt && accepted >= options.pauseAt && !seen.paused) {
          seen.paused = accepted;
          await upload.abort();
          upload.start();
        }
      },
      onSuccess: () => resolve(upload.url),
    });
    upload.start();
  });
}

// In Node a file is a Buffer, with what Uppy reads of a browser's.
async function byUppy() {
  const [{ Uppy }, { default: Tus }] = await Promise.all([load('@uppy/core'), load('@uppy/tus')]);
  const uppy = new Uppy({ logger: { debug() {}, warn() {}, error() {} } });
  uppy.use(Tus, { ...common, limit: 1 });
  const name = options.metadata.filename ?? basename(path);
  uppy.addFile({ name, type: options.metadata.filetype, meta: options.metadata,
    data: Object.assign(data, { size: data.length, name }) });
  uppy.on('upload-progress', (_, { bytesUploaded }) => {
    seen.offsets.push(bytesUploaded);
    if (options.pauseAt && bytesUploaded >= options.pauseAt && !seen.paused) {
      seen.paused = bytesUploaded;
      uppy.pauseAll();
      setImmediate(() => uppy.resumeAll());
    }
  });
  const { successful, failed } = await uppy.upload();
  if (failed.length) throw new Error(failed[0].error);
  return successful[0].uploadURL;
}

try {
  seen.url = await (client === 'uppy' ? byUppy() : byTus());
  seen.offsets = [...new Set(seen.offsets)].length;
  console.log(JSON.stringify(seen));
} catch (error) {
  console.error(String(error.message ?? error).slice(0, 2000));
  process.exit(1);
}

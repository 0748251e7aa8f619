// objects.mjs - YAML to JSON, and objects and values against their types.
//
//   objects.mjs yaml FILE...          each file's documents, as JSON
//   objects.mjs types <OBJECTS        a list of objects: what is wrong with each, as JSON
//   objects.mjs schema SCHEMA <LIST   what is wrong with each of a list of values, as JSON
//
// Types are checked twice: by the models' own validators, for values, and by TypeScript,
// which refuses a field that no type has. What it imports stands in NODE_MODULES.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = process.env.NODE_MODULES;
const require = createRequire(join(folder, 'here.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const input = () => JSON.parse(readFileSync(0, 'utf8'));

// Where the models of an API group are.
const packages = {
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'external-secrets.io': '@kubernetes-models/external-secrets',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'postgresql.cnpg.io': '@kubernetes-models/cloudnative-pg',
};
const home = (object) => {
  const [group] = object.apiVersion.split('/');
  return `${packages[group] ?? 'kubernetes-models'}/${object.apiVersion}/${object.kind}`;
};

async function yaml(files) {
  const { parseAllDocuments } = await load('yaml');
  return files.map((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((one) => {
    if (one.errors.length) throw new Error(`${file}: ${one.errors[0].message}`);
    return one.toJS();
  }).filter((one) => one !== null));
}

async function byValidator(object) {
  const models = await import(pathToFileURL(join(folder, home(object) + '.js')).href);
  try {
    new models[object.kind](object).validate();
    return [];
  } catch (error) {
    return [error.message];
  }
}

// One program of all objects, each a constant of its type on a line of its own.
async function byTypes(objects) {
  const { default: ts } = await load('typescript');
  const name = join(folder, '..', 'objects.ts');
  const text = objects.map((object, i) =>
    `import type { I${object.kind} as T${i} } from '${home(object)}'; export const o${i}: T${i} = ${JSON.stringify(object)};`).join('\n');
  const options = {
    strict: true, noEmit: true, skipLibCheck: true, types: [],
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (path, ...rest) => path === name
    ? ts.createSourceFile(path, text, options.target, true) : read.call(host, path, ...rest);
  const program = ts.createProgram([name], options, host);
  const wrong = objects.map(() => []);
  for (const one of ts.getPreEmitDiagnostics(program)) {
    const said = ts.flattenDiagnosticMessageText(one.messageText, ' ');
    if (one.file?.fileName !== name) throw new Error(`${one.file?.fileName}: ${said}`);
    wrong[one.file.getLineAndCharacterOfPosition(one.start).line].push(said);
  }
  return wrong;
}

async function types() {
  const objects = input();
  const typed = await byTypes(objects);
  return Promise.all(objects.map(async (object, i) => [...await byValidator(object), ...typed[i]]));
}

async function schema([file]) {
  const { default: Ajv } = await load('ajv');
  const check = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(readFileSync(file, 'utf8')));
  return input().map((values) =>
    check(values) ? [] : check.errors.map((one) => `${one.instancePath} ${one.message}`));
}

const [what, ...words] = process.argv.slice(2);
console.log(JSON.stringify(await { yaml, types, schema }[what](words)));

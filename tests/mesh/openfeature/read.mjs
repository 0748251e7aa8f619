// read.mjs URL TENANT TOKEN - reads flags as any program with OpenFeature's own client for
// servers would, and prints what it got. What it imports stands in NODE_MODULES.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.NODE_MODULES, 'here.js'));
const { OpenFeature } = require('@openfeature/server-sdk');
const { OFREPProvider } = require('@openfeature/ofrep-provider');

const [baseUrl, tenant, token] = process.argv.slice(2);
await OpenFeature.setProviderAndWait(new OFREPProvider({
  baseUrl, headers: { Authorization: `Bearer ${token}`, 'X-Tenant-Id': tenant },
}));
const client = OpenFeature.getClient();
const context = { targetingKey: 'somebody', plan: { nested: [1, 2] }, beta: true };
const short = ({ value, reason, variant, errorCode }) => ({ value, reason, variant, errorCode });

console.log(JSON.stringify({
  sso: short(await client.getBooleanDetails('sso', false, context)),
  seats: short(await client.getNumberDetails('seats', -1, context)),
  reads: short(await client.getNumberDetails('api-reads-per-minute', -1, context)),
  support: short(await client.getStringDetails('support', '?', context)),
  none: short(await client.getBooleanDetails('no-such-flag', true, context)),
  wrong: short(await client.getStringDetails('sso', '?', context)),
}));
await OpenFeature.close();

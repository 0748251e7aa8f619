'use strict';
// work.js - what both peers do for one read, beside their own way of getting the
// request there and back.
const crypto = require('crypto');
const Redis = require('ioredis');
const { Pool } = require('pg');

// GCRA over Redis' own clock: one key, allowed or not, what remains, when all is back.
const GCRA = `
local now = redis.call('TIME')
local t = now[1] * 1000000 + now[2]
local tat = tonumber(redis.call('GET', KEYS[1]) or t)
if tat < t then tat = t end
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local allow_at = tat + interval - burst * interval
if allow_at > t then return {0, 0, allow_at - t} end
redis.call('SET', KEYS[1], string.format('%.0f', tat + interval), 'PX', math.ceil((tat + interval - t) / 1000) + 1)
return {1, math.floor((burst * interval - (tat + interval - t)) / interval), tat + interval - t}
`;
const INTERVAL_US = 60, BURST = 1000000;

function openRedis() {
  const redis = new Redis(process.env.BENCH_REDIS_SOCKET, { enableAutoPipelining: true });
  redis.defineCommand('gcra', { numberOfKeys: 1, lua: GCRA });
  return redis;
}

function openPostgres() {
  return new Pool({
    host: process.env.BENCH_PG_SOCKET_DIR,
    database: process.env.BENCH_PG_DATABASE,
    user: 'tenants_app',
    max: 16,
  });
}

// Puts a session and a grant of our own where authenticate finds them.
async function seed(redis, token, account, tenant) {
  const hash = crypto.createHash('sha256').update(token).digest('hex');
  await redis.set(`peer:s:{${hash}}`, JSON.stringify({ account, epoch: '1' }));
  await redis.set(`peer:e:{${account}}`, '1');
  await redis.set(`peer:g:{${tenant}}:${account}`,
    JSON.stringify({ role: 'owner', epoch: '1', permissions: ['tenants.tenant.read'] }));
  await redis.set(`peer:e:{${tenant}}`, '1');
}

// Two round trips: who asks, then what he may. Gives {account, limit} or a status.
async function authenticate(redis, address, authorization, tenant) {
  if (!authorization || !authorization.startsWith('Bearer ')) return { status: 401 };
  const hash = crypto.createHash('sha256').update(authorization.slice(7)).digest('hex');
  const [byAddress, session] = await Promise.all([
    redis.gcra(`peer:l:{${address}}`, INTERVAL_US, BURST),
    redis.get(`peer:s:{${hash}}`),
  ]);
  if (!byAddress[0]) return { status: 429 };
  if (!session) return { status: 401 };
  const { account, epoch } = JSON.parse(session);
  const [grant, tenantEpoch, accountEpoch, byTenant, byPerson] = await Promise.all([
    redis.get(`peer:g:{${tenant}}:${account}`),
    redis.get(`peer:e:{${tenant}}`),
    redis.get(`peer:e:{${account}}`),
    redis.gcra(`peer:l:{${tenant}}`, INTERVAL_US, BURST),
    redis.gcra(`peer:l:{${tenant}}:${account}`, INTERVAL_US, BURST),
  ]);
  if (accountEpoch !== epoch) return { status: 401 };
  if (!grant) return { status: 404 };
  const held = JSON.parse(grant);
  if (held.epoch !== tenantEpoch) return { status: 404 };
  if (!byTenant[0] || !byPerson[0]) return { status: 429 };
  if (!held.permissions.includes('tenants.tenant.read')) return { status: 403 };
  return { account, limit: byPerson };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// One round trip under row security; the UUID is checked, so it can stand in the text.
async function readTenant(pool, id) {
  if (!UUID.test(id)) return null;
  const results = await pool.query(
    `SELECT set_config('trellis.tenant_id', '${id}', true);` +
    `SELECT tenant_id AS id, version, slug, display_name, status, created_at, updated_at, delete_at
       FROM tenants.tenant WHERE tenant_id = '${id}'`);
  const row = results[1].rows[0];
  if (!row) return null;
  row.version = Number(row.version);
  if (row.delete_at === null) delete row.delete_at;
  return row;
}

function headers(limit, version) {
  return {
    etag: `"${version}"`,
    'ratelimit-policy': `"read";q=${BURST};w=60`,
    ratelimit: `"read";r=${limit[1]};t=${Math.ceil(limit[2] / 1e6)}`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'private, no-cache',
  };
}

module.exports = { openRedis, openPostgres, seed, authenticate, readTenant, headers };

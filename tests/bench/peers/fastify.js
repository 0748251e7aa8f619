'use strict';
// A Fastify + pg + ioredis monolith. BENCH_PORT, BENCH_TOKEN, BENCH_ACCOUNT, BENCH_TENANT.
const fastify = require('fastify')({ logger: false });
const work = require('./work');

const redis = work.openRedis();
const pool = work.openPostgres();

fastify.get('/api/v1/tenants/:id', async (request, reply) => {
  const who = await work.authenticate(redis, request.ip, request.headers.authorization, request.params.id);
  if (who.status) return reply.code(who.status).send({ status: who.status });
  const tenant = await work.readTenant(pool, request.params.id);
  if (!tenant) return reply.code(404).send({ status: 404 });
  return reply.headers(work.headers(who.limit, tenant.version)).send(tenant);
});

work.seed(redis, process.env.BENCH_TOKEN, process.env.BENCH_ACCOUNT, process.env.BENCH_TENANT)
  .then(() => fastify.listen({ port: Number(process.env.BENCH_PORT), host: '127.0.0.1' }))
  .catch((error) => { console.error(error); process.exit(1); });

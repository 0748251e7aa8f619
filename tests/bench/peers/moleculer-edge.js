'use strict';
// The gateway of a Moleculer mesh over NATS: authenticates, then calls tenants.get.
const { ServiceBroker } = require('moleculer');
const ApiService = require('moleculer-web');
const work = require('./work');

const redis = work.openRedis();
const broker = new ServiceBroker({ nodeID: 'edge', transporter: process.env.BENCH_NATS, logger: false });

broker.createService({
  name: 'api',
  mixins: [ApiService],
  settings: {
    port: Number(process.env.BENCH_PORT),
    ip: '127.0.0.1',
    routes: [{
      path: '/api/v1',
      authentication: false,
      aliases: { 'GET tenants/:id': 'tenants.get' },
      async onBeforeCall(ctx, route, req, res) {
        const who = await work.authenticate(redis, req.socket.remoteAddress,
          req.headers.authorization, req.$params.id);
        if (who.status) throw new (require('moleculer').Errors.MoleculerError)('refused', who.status);
        ctx.meta.account = who.account;
        req.limit = who.limit;
      },
      onAfterCall(ctx, route, req, res, tenant) {
        const head = work.headers(req.limit, tenant.version);
        for (const name of Object.keys(head)) res.setHeader(name, head[name]);
        return tenant;
      },
    }],
  },
});

work.seed(redis, process.env.BENCH_TOKEN, process.env.BENCH_ACCOUNT, process.env.BENCH_TENANT)
  .then(() => broker.start())
  .catch((error) => { console.error(error); process.exit(1); });

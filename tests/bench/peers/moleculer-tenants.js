'use strict';
// The tenants service of a Moleculer mesh over NATS.
const { ServiceBroker, Errors } = require('moleculer');
const work = require('./work');

const pool = work.openPostgres();
const broker = new ServiceBroker({ nodeID: 'tenants', transporter: process.env.BENCH_NATS, logger: false });

broker.createService({
  name: 'tenants',
  actions: {
    async get(ctx) {
      const tenant = await work.readTenant(pool, ctx.params.id);
      if (!tenant) throw new Errors.MoleculerError('not found', 404);
      return tenant;
    },
  },
});

broker.start().catch((error) => { console.error(error); process.exit(1); });

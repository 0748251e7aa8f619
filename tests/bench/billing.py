"""billing.py - of tools/bench: a year by the test clock, many organisations that renew at
the same moment and what others feel of it, and the ledger's check. The organisations are
copies, by SQL, of one that subscribed by HTTP, with its period moved so that it ends now."""
import json
import os
import re
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TENANTS = int(os.environ.get("BENCH_TENANTS", "20000"))
ENTRIES = 1_000_000
SCHEMA = "set search_path to billing; set session_replication_role = replica; "
# A row of a table as it is, but for some columns.
COPY = "insert into {0} select (jsonb_populate_record(null::{0}, to_jsonb(s) || {1})).* from {0} s, who w where s.tenant_id = '{2}' {3}"


def sql(stack, text):
    done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", stack.admin_url().replace("/postgres?", "/trellis?")],
                          input=text, text=True, capture_output=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, ["psql"], done.stdout, done.stderr)
    return done.stdout.strip()


def trellis(stack, *words, given=None):
    started = time.monotonic()
    done = subprocess.run([os.path.join(TOP, "tools/trellis"), *words, "--json"], input=given, text=True,
                          capture_output=True, env=dict(stack.env, TRELLIS_RUN_DIR=stack.run))
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)
    return json.loads(done.stdout), time.monotonic() - started


def moved(state, by):
    """A life's state (billing.v1.LifeState) with its times moved by some seconds."""
    def protoc(how, data):
        return subprocess.run(["protoc", "-I", TOP + "/proto", f"--{how}=billing.v1.LifeState",
                               TOP + "/proto/trellis/billing/v1/billing.proto"],
                              input=data, capture_output=True, check=True).stdout
    text = protoc("decode", bytes.fromhex(state)).decode()
    text = re.sub(r"\b(anchor|period_start|period_end|from|to|made): (\d+)",
                  lambda m: f"{m[1]}: {int(m[2]) + by}", text)
    return protoc("encode", text.encode()).hex()


def subscribe(stack):
    with open(TOP + "/services/billing/catalogue/example.json", encoding="utf-8") as file:
        catalogue = json.load(file)
    del catalogue["trial"]
    trellis(stack, "billing", "catalogue", "apply", "-", given=json.dumps(catalogue))
    stack.call("POST", "/api/v1/payment-methods", {
        "card_number": "4242424242424242", "expiry_month": 12, "expiry_year": 2099}, stack.token)
    stack.call("POST", "/api/v1/subscription", {"plan": "team", "interval": "month", "seats": 5}, stack.token)


def copies(stack):
    """Organisations whose period ends in this moment."""
    source = stack.tenant
    end = int(sql(stack, f"select extract(epoch from period_end)::bigint from billing.subscription where tenant_id = '{source}'"))
    state = sql(stack, f"select encode(state, 'hex') from billing.subscription where tenant_id = '{source}'")
    state = moved(state, int(time.time()) - end)
    steps = [SCHEMA, f"create temp table who as select gen_random_uuid() as t, 'B' || lpad(n::text, 7, '0') as p from generate_series(1, {TENANTS}) n"]
    for table, other, which in (
            ("subscription", f"jsonb_build_object('tenant_id', w.t, 'prefix', w.p, 'state', '\\x{state}', 'due_at', now())", ""),
            ("payment_method", "jsonb_build_object('tenant_id', w.t, 'id', gen_random_uuid())", ""),
            ("invoice", "jsonb_build_object('tenant_id', w.t, 'id', md5(w.t::text || s.id)::uuid)", ""),
            ("payment", "jsonb_build_object('tenant_id', w.t, 'id', md5(w.t::text || s.id)::uuid, 'invoice_id', md5(w.t::text || s.invoice_id)::uuid)", ""),
            ("ledger_transaction", "jsonb_build_object('tenant_id', w.t, 'id', gen_random_uuid(), 'cause_id', md5(w.t::text || s.cause_id)::uuid)", ""),
            ("job", "jsonb_build_object('tenant_id', w.t, 'id', gen_random_uuid(), 'run_at', now() + interval '1 hour')", "and s.kind = 'due'")):
        steps.append(COPY.format(table, other, source, which))
    steps.append("update job set state = 'ready', run_at = now() where kind = 'due' and tenant_id in (select t from who)")
    sql(stack, ";\n".join(steps) + "; analyze subscription, payment_method, invoice, job;")


def renewed(stack):
    return int(sql(stack, "select count(*) from billing.invoice where status = 'paid' and place = 2"))


def cpu(stack):
    """Seconds of CPU so far: of PostgreSQL, and of each service."""
    spent = {}
    for folder in os.listdir("/proc"):
        try:
            with open(f"/proc/{folder}/cmdline", encoding="utf-8", errors="replace") as file:
                line = file.read().replace("\0", " ")
            with open(f"/proc/{folder}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        name = re.match(re.escape(stack.run) + r"/bin/trellis-(\w+)", line)
        if name or line.startswith("postgres: "):
            name = name[1] if name else "PostgreSQL"
            spent[name] = spent.get(name, 0) + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def renewals(stack, wrk, seconds):
    url = f"http://127.0.0.1:{stack.ports['mesh']}{stack.path}"
    wrk(url, 8, 2, stack.token)
    quiet = wrk(url, 8, seconds, stack.token)[2]
    loud = []
    listener = threading.Thread(target=lambda: loud.append(wrk(url, 8, seconds, stack.token)[2]))
    copies(stack)
    before, started = cpu(stack), time.monotonic()
    listener.start()
    while renewed(stack) < TENANTS:
        time.sleep(0.25)
        if time.monotonic() - started > 900:
            break
    took = time.monotonic() - started
    spent = {name: value - before.get(name, 0) for name, value in cpu(stack).items()}
    listener.join()
    return took, renewed(stack), quiet, loud[0], spent


def fill_ledger(stack):
    """Invoices and their payments of a thousand organisations, of five entries each."""
    have = int(sql(stack, "select count(*) from billing.ledger_entry"))
    sql(stack, SCHEMA + f"""
        create temp table t as select gen_random_uuid() as invoice, gen_random_uuid() as payment, n, 5 * n as net, n as tax, 6 * n as total,
            ('00000000-0000-7000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid as tenant
            from generate_series(1::bigint, {max(ENTRIES - have, 0) // 5}) n;
        insert into invoice (tenant_id, id, version, place, number, status, currency, net, tax, total, from_balance, carried,
                carried_on, amount_paid, amount_credited, amount_due, attempts, document, created_at, updated_at)
            select tenant, invoice, 1, n, n, 'paid', 'EUR', net, tax, total, 0, 0, 0, total, 0, 0, 1, '', now(), now() from t;
        insert into payment (tenant_id, id, invoice_id, kind, status, provider, currency, amount, refunded, created_at)
            select tenant, payment, invoice, 'payment', 'succeeded', 'test', 'EUR', total, 0, now() from t;
        insert into ledger_transaction
            select tenant, gen_random_uuid(), now(), 'EUR', 'invoice', invoice, '{{receivable,revenue,tax}}'::text[], array[total, -net, -tax] from t
            union all
            select tenant, gen_random_uuid(), now(), 'EUR', 'payment', payment, '{{cash,receivable}}'::text[], array[total, -total] from t;
        analyze invoice, payment, ledger_transaction;""")


def bench(stack, wrk, seconds):
    subscribe(stack)
    took, done, quiet, loud, spent = renewals(stack, wrk, seconds)
    print(f"\n{TENANTS} organisations renew at one moment (BENCH_TENANTS says how many)\n")
    print(f"  all of them invoiced and paid           {took:.1f} s, {done / took:.0f} a second   goal 833")
    print(f"  p99 of another's reads meanwhile        {loud / quiet:.2f}x of quiet   goal under 2")
    print("  CPU of a renewal, reads beside it included  " + ", ".join(
        f"{name} {value / done * 1000:.2f} ms" for name, value in sorted(spent.items(), key=lambda one: -one[1])))
    to = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 366 * 86400))
    trellis(stack, "call", "AdvanceClock", json.dumps({"tenant_id": stack.tenant}))
    clock, took = trellis(stack, "call", "AdvanceClock", json.dumps({"tenant_id": stack.tenant, "to": to}))
    print(f"  a year by the test clock                {took:.2f} s for {clock['steps']} steps   goal 1")
    fill_ledger(stack)
    check, took = trellis(stack, "ledger", "check", "--timeout", "60")
    print(f"  the ledger's check                      {took:.2f} s for {check['entries']} entries   goal 5 for a million")
    if check.get("faults"):
        print("  it does not balance: " + check["faults"][0])

# observe.sh - Prometheus, Alertmanager and the exporters beside the mesh, for tools/up
# --observe. Sourced after mesh.sh.
#
# Each is a service of the same supervisor, named observe-*, and listens on this machine
# only. $RUN/observe/config is what observe.py made of k8s/observability; $RUN/observe/ports
# holds their first port.

OBSERVERS="observe-prometheus observe-alertmanager observe-blackbox observe-node
observe-postgres observe-redis observe-mailbox observe-traces"
OBSERVE_PORTS=8
# Where alerts go is no setting of the services, which refuse what they do not know.
ALERTS_TO=()
for name in SLACK_URL_FILE MAIL_TO WATCHDOG_URL WATCHDOG_URL_FILE; do
	name=TRELLIS_ALERT_$name
	[ -z "${!name+set}" ] || ALERTS_TO+=("$name=${!name}")
	unset "$name"
done

# Their ports, from the one that Prometheus is known by on.
choose_observe_ports() {
	as_user mkdir -p "$RUN/observe"
	OBSERVE_PORT=$(choose_port_block "$RUN/observe/ports" observers_run $OBSERVE_PORTS 9090 9990) ||
		die "no $OBSERVE_PORTS free ports from 9090, 9190, ... 9990 on for what observes; stop what uses them, or write a first port into $RUN/observe/ports."
}
observers_run() { scan_running && service_up observe-prometheus; }

# Where the ops endpoints are, NAME=ADDRESS a line. One process has all of them for all of
# its services, so one says everything.
observe_targets() { # names...
	local name i=0
	for name in $SERVICES; do
		[ "$*" != all ] || { echo "all=127.0.0.1:$((BASE_PORT + 2))"; return 0; }
		echo "$name=127.0.0.1:$((BASE_PORT + i + 2))"
		i=$((i + 3))
	done
}

# Sets OBSERVE_TAR, a file with the configuration, or ends with what is wrong. It holds
# secrets, so it goes with us.
make_observe_config() { # names...
	local said
	OBSERVE_TAR=$(mktemp)
	trap 'rm -f "$OBSERVE_TAR"' EXIT
	# shellcheck disable=SC2046
	said=$([ ${#ALERTS_TO[@]} = 0 ] || export "${ALERTS_TO[@]}"
		/usr/bin/python3 "$TOP/tools/sh/observe.py" --run "$RUN/observe/config" \
		--port "$OBSERVE_PORT" --door "http://${HTTP_LISTEN/#0.0.0.0:/127.0.0.1:}" \
		--faster "$FASTER" $(observe_targets "$@") <<<"$MESH" 2>&1 >"$OBSERVE_TAR") ||
		die "${said:-the configuration of what observes cannot be made.}"
}

# A folder of one's own, whole or not at all. With secrets, so for the mesh's user only.
put_observe_config() {
	# shellcheck disable=SC2016
	as_user sh -ec 'umask 077; rm -rf "$1/config.new"; mkdir -p "$1/config.new" "$1/data" "$1/alerts"
		tar -x -C "$1/config.new" -f -; rm -rf "$1/config"; mv "$1/config.new" "$1/config"' \
		sh "$RUN/observe" <"$OBSERVE_TAR"
	OBSERVE_SUM=$(cksum <"$OBSERVE_TAR")
}

# observer_define NAME PORT PATH command... - ready once PATH is answered with 200. The
# checksum of the configuration stands in it, so that a new one is a change.
observer_define() {
	local name=$1 url=http://127.0.0.1:$2$3
	shift 3
	as_user mkdir -p "$RUN/scan/$name/data"
	printf '#!/bin/sh\nexec curl --noproxy "*" -sf -o /dev/null "%s"\n' "$url" |
		put "$RUN/scan/$name/data/check" 755
	{
		printf '#!/bin/sh\nexec 2>&1\n# configuration %s\n' "$OBSERVE_SUM"
		[ -z "${OBSERVE_ENV:-}" ] || printf '%s\n' "$OBSERVE_ENV" | exports
		printf 'exec s6-notifyoncheck -d -n 600 -w 50 -T 30000'
		printf ' "%s"' "$@"
		printf '\n'
	} | service_define "$name"
}

observe_define() {
	local p=$OBSERVE_PORT config=$RUN/observe/config pg=$PG_URL
	# Looking back for half a minute only, so that another form of the mesh leaves no ghosts.
	# Alerts are told again each five seconds: the first time Alertmanager is not known yet.
	observer_define observe-prometheus "$p" /-/ready prometheus \
		"--config.file=$config/prometheus.yml" "--storage.tsdb.path=$RUN/observe/data" \
		--storage.tsdb.retention.time=7d --storage.tsdb.retention.size=1GB \
		--query.lookback-delta=30s --rules.alert.resend-delay=5s --enable-feature=exemplar-storage "--web.listen-address=127.0.0.1:$p" --log.level=warn
	observer_define observe-alertmanager $((p + 1)) /-/ready prometheus-alertmanager \
		"--config.file=$config/alertmanager.yml" "--storage.path=$RUN/observe/alerts" \
		--cluster.listen-address= "--web.listen-address=127.0.0.1:$((p + 1))" \
		"--web.external-url=http://127.0.0.1:$((p + 1))"
	# Certificates that it believes beside the system's, if the caller has such.
	OBSERVE_ENV=${SSL_CERT_FILE:+SSL_CERT_FILE=$SSL_CERT_FILE} observer_define observe-blackbox $((p + 2)) /metrics prometheus-blackbox-exporter \
		"--config.file=$config/blackbox.yml" "--web.listen-address=127.0.0.1:$((p + 2))" \
		--log.level=warn
	# The disks of this machine, be they a container's.
	observer_define observe-node $((p + 3)) /metrics prometheus-node-exporter \
		--collector.disable-defaults --collector.cpu --collector.meminfo --collector.loadavg \
		--collector.filesystem '--collector.filesystem.fs-types-exclude=^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fuse.*|hugetlbfs|mqueue|nsfs|proc|pstore|rpc_pipefs|securityfs|squashfs|sysfs|tmpfs|tracefs)$' \
		"--web.listen-address=127.0.0.1:$((p + 3))" --log.level=warn
	# A server of ours is seen by a role that sees how it does, and no data.
	[ "$databases" = "${databases#postgres}" ] ||
		pg="host=$RUN/pg user=trellis_observe dbname=trellis sslmode=disable"
	OBSERVE_ENV="DATA_SOURCE_NAME=$pg" observer_define observe-postgres $((p + 4)) /metrics \
		prometheus-postgres-exporter "--web.listen-address=127.0.0.1:$((p + 4))" --log.level=warn
	observer_define observe-redis $((p + 5)) / prometheus-redis-exporter \
		-redis.addr "$(sed 's#^unix:/*#unix:///#' <<<"$REDIS_URL")" -web.listen-address "127.0.0.1:$((p + 5))"
	service_define observe-mailbox <<-END
		#!/bin/sh
		exec 2>&1
		exec python3 "$config/mailbox.py" $((p + 6)) "$RUN/mail"
	END
	put "$RUN/observe/spans.py" 644 <"$TOP/tools/sh/spans.py"
	observer_define observe-traces $((p + 7)) / /usr/bin/python3 "$RUN/observe/spans.py" \
		$((p + 7)) "$RUN/observe/traces.jsonl"
}
# Traces go there, unless the caller has a collector; and each of them, unless the caller
# says how many: few are made on a machine of one's own, and each is looked for.
observe_traces() {
	[ -z "${TRELLIS_OTLP_URL:-}${TRELLIS_OTLP_URL_FILE:-}" ] || return 0
	export TRELLIS_OTLP_URL=http://127.0.0.1:$((OBSERVE_PORT + 7))
	[ -n "${TRELLIS_TRACE_RATIO:-}${TRELLIS_TRACE_RATIO_FILE:-}" ] || export TRELLIS_TRACE_RATIO=1
}

# The role by which the exporter sees how PostgreSQL does, and no data.
observe_role() {
	as_user psql "$ADMIN_URL" -qc "do \$\$ begin create role trellis_observe login in role pg_monitor;
		exception when duplicate_object then null; end \$\$"
}

# All that was changed begins anew, and all is waited for.
start_observers() {
	local name
	put_observe_config
	[ "$databases" = "${databases#postgres}" ] || observe_role
	declare -A old
	for name in $OBSERVERS; do old[$name]=$(as_user cat "$RUN/scan/$name/run" 2>/dev/null) || true; done
	observe_define
	for name in $OBSERVERS; do
		if service_up "$name" && mesh_changed "$name" "${old[$name]}"; then
			as_user s6-svc -wR -T 30000 -r "$RUN/scan/$name" || true
		fi
	done
	# shellcheck disable=SC2086
	services_start $OBSERVERS
}

# Whether Prometheus has scraped all that it is to scrape, and got an answer.
all_scraped() {
	curl -sf "http://127.0.0.1:$OBSERVE_PORT/api/v1/targets?state=active" |
		jq -e '.data.activeTargets | length > 0 and all(.health == "up")'
}

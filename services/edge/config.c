/* config.c - the edge's settings; in a file of its own, because every process knows
 * the names of all settings. */
#include "edge.h"

static const struct trl_config_var vars[] = {
	TRL_CONFIG_STR(struct edge_config, listen, "TRELLIS_HTTP_LISTEN",
	    "127.0.0.1:8080", "address and port to listen on, for people"),
	TRL_CONFIG_STR(struct edge_config, public_url, "TRELLIS_PUBLIC_URL",
	    "http://127.0.0.1:8080",
	    "the URL at which people reach this server, its own origin; https turns "
	    "HSTS on"),
	TRL_CONFIG_STR(struct edge_config, origins, "TRELLIS_CORS_ORIGINS", "",
	    "origins whose pages may read answers, such as https://app.example; at "
	    "most 32, separated by commas"),
	TRL_CONFIG_INT(struct edge_config, trusted_hops, "TRELLIS_TRUSTED_HOPS", "0", 0,
	    16, "proxies in front whose X-Forwarded-For is believed"),
	TRL_CONFIG_INT(struct edge_config, max_connections,
	    "TRELLIS_HTTP_MAX_CONNECTIONS", "20000", 1, 1000000,
	    "connections at once; beyond that, a new one replaces the one that has "
	    "waited for its client the longest"),
	TRL_CONFIG_INT(struct edge_config, max_per_address,
	    "TRELLIS_HTTP_MAX_PER_ADDRESS", "1000", 0, 1000000,
	    "connections of one address at once; 0: no limit"),
	TRL_CONFIG_INT(struct edge_config, body_idle_s,
	    "TRELLIS_HTTP_BODY_IDLE_SECONDS", "30", 1, 30,
	    "how long a client that sends or receives a file may make no progress; "
	    "over twice as long it must average 1 KiB a second"),
	TRL_CONFIG_INT(struct edge_config, max_streams, "TRELLIS_HTTP_MAX_STREAMS",
	    "12000", 0, 1000000, "event streams at once, of those connections"),
	TRL_CONFIG_INT(struct edge_config, max_streams_per_caller,
	    "TRELLIS_HTTP_MAX_STREAMS_PER_CALLER", "10", 1, 1000000,
	    "event streams of one account or API key at once, on one edge"),
};
const struct trl_config_table edge_config_table =
    TRL_CONFIG_SERVICE_TABLE("edge", vars);

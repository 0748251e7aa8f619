/* script.c - what runs inside Redis. GCRA (the virtual scheduling of ITU-T I.371):
 * a key holds the theoretical arrival time of the next request in microseconds of
 * Redis's own clock; one that comes earlier than the window allows is refused and
 * changes nothing. Numbers are written by %.0f, since tostring() cuts at 14 digits. */
#include "script.h"

#define COUNT_LIMITS                                                                   \
	"local t = redis.call('TIME')\n"                                               \
	"local now = t[1] * 1000000 + t[2]\n"                                          \
	"local function count(key, step, window)\n"                                    \
	"  local tat = tonumber(redis.call('GET', key)) or now\n"                      \
	"  if tat < now then tat = now end\n"                                          \
	"  local new = tat + step\n"                                                   \
	"  if new - window > now then return 0, 0, tat - now, new - window - now "     \
	"end\n"                                                                        \
	"  redis.call('SET', key, string.format('%.0f', new),\n"                       \
	"    'PX', math.ceil((new - now) / 1000))\n"                                   \
	"  return 1, math.floor((window - (new - now)) / step), new - now, 0\n"        \
	"end\n"                                                                        \
	"local function count_from(first, arg, out)\n"                                 \
	"  for i = first, #KEYS do\n"                                                  \
	"    local a, r, s, w = count(KEYS[i], tonumber(ARGV[arg]), "                  \
	"tonumber(ARGV[arg + 1]))\n"                                                   \
	"    local n = #out\n"                                                         \
	"    out[n + 1], out[n + 2], out[n + 3], out[n + 4] = a, r, s, w\n"            \
	"    arg = arg + 2\n"                                                          \
	"  end\n"                                                                      \
	"  return out\n"                                                               \
	"end\n"

/* KEYS: limits. ARGV: step and window of each, in microseconds. */
struct trl_redis_script access_script_count = {
	.name = "count",
	.text = COUNT_LIMITS "return count_from(1, 1, {})\n",
};

/* KEYS: epoch, a copy or none, limits. ARGV: how long an epoch lives (s), how many
 * keys stand before the limits (1 or 2), then as above. Gives the epoch (as text: 64
 * bits), the copy or "", then four a limit. */
struct trl_redis_script access_script_visit = {
	.name = "visit",
	.text = COUNT_LIMITS
	"local epoch = redis.call('GET', KEYS[1])\n"
	"if not epoch then\n"
	"  epoch = string.format('%.0f', now)\n"
	"  redis.call('SET', KEYS[1], epoch, 'EX', ARGV[1])\n"
	"end\n"
	"local before = tonumber(ARGV[2])\n"
	"local copy = before == 2 and redis.call('GET', KEYS[2]) or ''\n"
	"return count_from(before + 1, 3, { epoch, copy })\n",
};

/* KEYS: epoch. ARGV: how long it lives (s). */
struct trl_redis_script access_script_bump = {
	.name = "bump",
	.text =
	    "local t = redis.call('TIME')\n"
	    "local new = t[1] * 1000000 + t[2]\n"
	    "local old = tonumber(redis.call('GET', KEYS[1])) or 0\n"
	    "if new <= old then new = old + 1 end\n"
	    "redis.call('SET', KEYS[1], string.format('%.0f', new), 'EX', ARGV[1])\n"
	    "return 1\n",
};

/* KEYS: epoch, copy. ARGV: the epoch the copy was read under, the copy, its life
 * (ms), the epoch's life (s). */
struct trl_redis_script access_script_keep = {
	.name = "keep",
	.text = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
		"redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])\n"
		"redis.call('EXPIRE', KEYS[1], ARGV[4])\n"
		"return 1\n",
};

struct trl_redis_script *const trl_access_scripts[] = {
	&access_script_count,
	&access_script_visit,
	&access_script_bump,
	&access_script_keep,
	NULL,
};

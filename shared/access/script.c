/* script.c - what runs inside Redis. GCRA (the virtual scheduling of ITU-T I.371):
 * a key holds the theoretical arrival time of the next request in microseconds of
 * Redis's own clock; one that comes earlier than the window allows is refused and
 * changes nothing. Numbers are written by %.0f, since tostring() cuts at 14 digits. */
#include "script.h"

#define TEXT_OF(number) TEXT_(number)
#define TEXT_(number) #number

/* Counts several requests at once (share.c), as if each came by itself and all at the
 * same microsecond: as many are allowed as fit, and only those that the limits before
 * it allow take from a limit. What stands behind the caller's own limits is the
 * tenant's; where there is no copy of a grant it may be that the caller is no member,
 * and those are not looked at. One MGET reads everything and one SET a limit writes,
 * because a call from Lua costs more than what it does. KEYS: epoch and copy (ARGV[2]
 * of them: 0, 1 or 2), then limits. ARGV: how long an epoch lives (s), how many keys
 * stand before the limits, how many requests, how many limits are the caller's own,
 * then of each limit its step and window in microseconds, its window in milliseconds,
 * and whether a plan sets it. Gives the epoch (as text: 64 bits) and the copy or "", if
 * any stood before the limits, then two numbers a limit that was looked at: how many
 * are allowed, and how far the arrival time was ahead in microseconds.
 *
 * A copy of another epoch is none: what it says, its plan's quota too, may be over. Of
 * a limit that a plan sets (0: no plan does; -1: the step is the plan's), the number
 * says where in the copy the quota is (copy.c). Beside the arrival time of such a limit
 * stands the step that it was counted by: under another plan what was taken stays
 * taken, one for one, and an upgrade lets on at once whoever was at the end. */
struct trl_redis_script access_script_visit = {
	.name = "visit",
	.text =
	    "local call = redis.call\n"
	    "local t = call('TIME')\n"
	    "local now = t[1] * 1000000 + t[2]\n"
	    "local value = call('MGET', unpack(KEYS))\n"
	    "local before, many = tonumber(ARGV[2]), tonumber(ARGV[3])\n"
	    "local own, left = tonumber(ARGV[4]), many\n"
	    "local arg, n = 5, 0\n"
	    "local out, copy = {}, ''\n"
	    "if before > 0 then\n"
	    "  local epoch = value[1]\n"
	    "  if not epoch then\n"
	    "    epoch = string.format('%.0f', now)\n"
	    "    call('SET', KEYS[1], epoch, 'EX', ARGV[1])\n"
	    "  end\n"
	    "  copy = before == 2 and value[2] or ''\n"
	    "  if #copy < " TEXT_OF(ACCESS_COPY_HEAD) " or copy:byte() ~= " TEXT_OF(
		ACCESS_COPY_VERSION) "\n"
				     "    or struct.unpack('<I8', copy, 2) ~= "
				     "tonumber(epoch) then\n"
				     "    copy = ''\n"
				     "  end\n"
				     "  out[1], out[2], n = epoch, copy, 2\n"
				     "end\n"
				     "for i = before + 1, #KEYS do\n"
				     "  if i - before > own and copy == '' then break "
				     "end\n"
				     "  local step, plan = tonumber(ARGV[arg]), "
				     "tonumber(ARGV[arg + 3])\n"
				     "  local was, tat = step, tonumber(value[i])\n"
				     "  if plan > 0 then\n"
				     "    local quota = struct.unpack('<I4', copy, "
				     "plan)\n"
				     "    if quota > 0 then\n"
				     "      step = math.floor(ARGV[arg + 1] / quota * "
				     "1000) / 1000\n"
				     "    end\n"
				     "  end\n"
				     "  if plan ~= 0 and value[i] and not tat then\n"
				     "    local at, by = string.match(value[i], "
				     "'^(%d+) (%S+)$')\n"
				     "    tat, was = tonumber(at), tonumber(by)\n"
				     "  end\n"
				     "  if not tat or tat < now then tat = now end\n"
				     "  if was ~= step then tat = now + (tat - now) * "
				     "step / was end\n"
				     "  local fit = math.floor((now + ARGV[arg + 1] - "
				     "tat) / step)\n"
				     "  if fit > many then fit = many end\n"
				     "  if fit < 0 then fit = 0 end\n"
				     "  left = math.min(left, fit)\n"
				     "  if left > 0 then\n"
				     "    local next = string.format('%.0f', tat + "
				     "left * step)\n"
				     "    if plan ~= 0 then next = next .. ' ' .. step "
				     "end\n"
				     "    call('SET', KEYS[i], next, 'PX', ARGV[arg + "
				     "2])\n"
				     "  end\n"
				     "  out[n + 1], out[n + 2] = fit, tat - now\n"
				     "  arg, n = arg + 4, n + 2\n"
				     "end\n"
				     "return out\n",
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
	&access_script_visit,
	&access_script_bump,
	&access_script_keep,
	NULL,
};

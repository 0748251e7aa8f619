/* script.c - what runs inside Redis. GCRA (the virtual scheduling of ITU-T I.371):
 * a key holds the theoretical arrival time of the next request in microseconds of
 * Redis's own clock, and beside it the step that it was counted by; a request that
 * comes earlier than the window allows is refused and changes nothing. Both are doubles
 * as bytes, and so are the numbers of a question: what Lua reads or writes as text
 * costs more than the counting. The epoch is text, written by %.0f, since tostring()
 * cuts at 14 digits. */
#include "state.h"

/* Counts several requests at once (share.c), as if each came by itself and all at the
 * same microsecond: as many are allowed as fit, and only those that the limits before
 * it allow take from a limit. What stands behind the caller's own limits is the
 * tenant's; where there is no copy of a grant it may be that the caller is no member,
 * and those are not looked at. One MGET reads everything and one SET a limit writes,
 * because a call from Lua costs more than what it does. KEYS: epoch and copy (as many
 * of them as ARGV[1] says), then limits. ARGV[1]: how many keys stand before the limits
 * (0, 1 or 2), how many limits are the caller's own, how many requests (4 bytes), then
 * of each limit its step and window in microseconds (doubles), and where in a copy,
 * from 1, its quota is (0: no plan sets it, or the step is the plan's). The others: of
 * each limit how long it is kept (ms). Gives the epoch (as text: 64 bits) and the copy
 * or "", if any stood before the limits, then two numbers a limit that was looked at:
 * how many are allowed, and how far the arrival time was ahead in microseconds.
 *
 * A copy of another epoch is none: what it says, its plan's quota too, may be over.
 * Under another step what was taken stays taken, one for one, so an upgrade lets on at
 * once whoever was at the end. */
struct trl_redis_script access_script_visit = {
	.name = "visit",
	.text = "local call, numbers_of = redis.call, struct.unpack\n"
		"local t = call('TIME')\n"
		"local now = t[1] * 1000000 + t[2]\n"
		"local value, numbers = call('MGET', unpack(KEYS)), ARGV[1]\n"
		"local before, own, many, at = numbers_of('<BBI4', numbers)\n"
		"local out, copy, left, n = {}, '', many, 0\n"
		"if before > 0 then\n"
		"  local epoch, kept = value[1], value[2]\n"
		"  if not epoch then\n"
		"    epoch = string.format('%.0f', now)\n"
		"    call('SET', KEYS[1], epoch, 'EX', 3600)\n"
		"  end\n"
		"  if before == 2 and kept and #kept >= 17 then\n"
		"    local version, of = numbers_of('<BI8', kept)\n"
		"    if version == 66 and of == epoch + 0 then copy = kept end\n"
		"  end\n"
		"  out[1], out[2], n = epoch, copy, 2\n"
		"end\n"
		"for i = before + 1, #KEYS do\n"
		"  local step, window, place, tat, was, fit\n"
		"  if i - before > own and copy == '' then break end\n"
		"  step, window, place, at = numbers_of('<ddB', numbers, at)\n"
		"  if place > 0 then\n"
		"    local quota = numbers_of('<I4', copy, place)\n"
		"    if quota > 0 then\n"
		"      step = window / quota * 1000\n"
		"      step = (step - step % 1) / 1000\n"
		"    end\n"
		"  end\n"
		"  if value[i] then\n"
		"    tat, was = numbers_of('<dd', value[i])\n"
		"    if was ~= step then tat = now + (tat - now) * step / was end\n"
		"  end\n"
		"  if not tat or tat < now then tat = now end\n"
		"  fit = (now + window - tat) / step\n"
		"  fit = fit - fit % 1\n"
		"  if fit > many then fit = many end\n"
		"  if fit < 0 then fit = 0 end\n"
		"  if fit < left then left = fit end\n"
		"  if left > 0 then\n"
		"    local next = tat + left * step + 0.5\n"
		"    call('SET', KEYS[i], struct.pack('<dd', next - next % 1, step), "
		"'PX',\n"
		"      ARGV[i - before + 1])\n"
		"  end\n"
		"  out[n + 1], out[n + 2], n = fit, tat - now, n + 2\n"
		"end\n"
		"return out\n",
};
_Static_assert(
    ACCESS_COPY_VERSION == 66 && ACCESS_COPY_HEAD == 17 && ACCESS_EPOCH_S == 3600,
    "the script says 66, 17 and 3600");

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

/* stream.h - open streams, for the files of this folder. From the ground up: table.c
 * finds them, write.c writes into one, entry.c is what is sent, read.c asks notify for
 * it, watch.c sees who may go on, round.c brings what happened, feed.c does so again
 * and again, open.c opens one. Loop thread. */
#pragma once

#include <notify_v1.trl.h>

#include "streams/streams.h"

enum {
	STREAM_HEADS = 4096, /* of each hash table */
	/* Between heartbeats: at least, and within how many seconds more all have one
	 * that came at once. */
	STREAM_BEAT_S = 12,
	STREAM_SPREAD_S = 13,
	/* Entries that are delivered together. As they are read and as text, a hundred
	 * of the largest (40,000 characters of data, by the contract) take 8 MB, half
	 * of what a round's arena holds. */
	STREAM_WINDOW = 100,
	STREAM_REPLAY_MAX = 1000 /* entries that one that begins anew may have missed */
};

enum stream_by { BY_TENANT, BY_CALLER, STREAM_BYS };

/* An entry of the feed on its way to streams. */
struct stream_entry {
	const Notify__V1__FeedEntry *entry;
	uint32_t permission; /* that its permission has; 0: the catalogue knows none */
	const char *text;    /* as it is sent, to all; NULL: not made yet */
	size_t len;
};

/* The streams of a tenant, or of a caller (an account or an API key). */
struct stream_set {
	struct stream_set *next; /* of the hash head; of those to be freed */
	struct trl_id id;
	struct edge_stream *first;
	size_t n;
	/* Within a round, in whose arena the lists lie. */
	struct stream_set *due_next;
	bool due, wide;          /* something is for some of it; for all of it */
	struct trl_id *accounts; /* the only ones that something of the tenant is for */
	size_t n_accounts;       /* at most STREAM_WINDOW */
	struct stream_entry *rows;
	size_t n_rows;
};

struct edge_stream {
	trl_http_stream *http; /* NULL: it is over */
	struct edge_streams *all;
	struct {
		struct stream_set *set;
		struct edge_stream *prev, *next;
	} in[STREAM_BYS];
	struct edge_stream *prev, *next; /* all of them, in the order of their beats */
	struct edge_stream *picked;      /* the next that a round or a beat is about */
	/* Who it is, and under which epochs; last_asked_us: when auth and tenants said
	 * so (monotonic). */
	uint8_t hash[TRL_ACCESS_HASH];
	struct trl_id account, session, key; /* key nil: a person's session */
	uint64_t account_epoch, tenant_epoch, last_asked_us;
	int64_t expires_at_us; /* wall; 0: never */
	uint32_t *permissions; /* rising */
	size_t n_permissions;
	uint64_t beat_us; /* of the last heartbeat */
	int64_t cursor;   /* the number until which it got all */
	bool live;        /* it gets what the rounds bring */
	bool due;         /* within a round */
};

struct edge_streams {
	struct edge *edge;
	struct stream_set *heads[STREAM_BYS][STREAM_HEADS];
	struct edge_stream *first, *last;
	size_t n, n_live;
	uint32_t permission; /* what a stream needs */
	/* What was delivered to all that are live, and what is being delivered. */
	int64_t through, claimed;
	uint64_t look_us; /* when those to which nothing is sent are looked at */
	/* The actor that brings and watches, while there are streams. */
	bool runs, waits, hinted, draining;
	struct trl_ticket ticket;
	/* While a round is under way what goes is freed after it. */
	bool in_round;
	struct edge_stream *gone;
	struct stream_set *gone_sets;
	trl_series *sent, *slow, *refused, *denied;
};

/* table.c */

/* NULL: there is none. */
struct stream_set *stream_set_find(
    struct edge_streams *all, enum stream_by by, struct trl_id id);
void stream_add(struct edge_streams *all, struct edge_stream *stream,
    struct trl_id tenant, struct trl_id caller);
/* Takes it out of everything and frees it, perhaps after the round. */
void stream_remove(struct edge_stream *stream);
/* Puts it last in the order of beats, after a beat. */
void stream_beat_last(struct edge_stream *stream);
void stream_round_begin(struct edge_streams *all);
void stream_round_end(struct edge_streams *all);

/* write.c */

/* The client is told nothing more; the stream is no more. */
void stream_end(struct edge_stream *stream);
/* False: it takes no more, and ends. */
bool stream_write(struct edge_stream *stream, const void *data, size_t len);
/* After each of many writes, i from 0: lets the loop do what else there is now and
 * then, because a write is a system call at the turn's end. */
void stream_pause(trl_ctx *ctx, size_t i);

/* entry.c */

/* Of what was read, which must outlive it. */
void stream_entry_init(struct stream_entry *entry, const Notify__V1__FeedEntry *read);
/* Sends an entry, if it is for this stream and not yet sent. Its text is made in the
 * arena by the first that is sent it. False: the stream is over. */
bool stream_send(trl_ctx *ctx, struct edge_stream *stream, struct stream_entry *entry);

/* watch.c */

/* Keeps of a request who the stream is. */
void stream_learn(struct edge_stream *stream, const struct edge_request *request);
/* Looks whether each of the streams that were picked, from first on, may go on; ends
 * those that may not (their http is NULL then). In a round. fresh: the owners must have
 * been asked within five seconds. What it takes of the arena it gives back, however
 * many streams there are. Errors: faults; then some are not known to be allowed. */
enum trl_code stream_check(trl_ctx *ctx, struct edge_streams *all,
    struct edge_stream *first, bool fresh) TRL_MUST_CHECK;

/* feed.c */

/* Has the actor run that brings what happens. Errors: TRL_BUSY. */
enum trl_code stream_run(trl_ctx *ctx, struct edge_streams *all) TRL_MUST_CHECK;

/* round.c */

/* Brings what happened until now, or a part: then *more. Errors: faults; then it is to
 * be done again. */
enum trl_code stream_bring(
    trl_ctx *ctx, struct edge_streams *all, bool *more) TRL_MUST_CHECK;

/* read.c */

/* What to read of the feed: of a tenant, for all and for some accounts, or, tenant nil,
 * for those accounts outside of tenants. They may be named twice. */
struct stream_ask {
	struct trl_id tenant;
	const struct trl_id *accounts;
	size_t n_accounts; /* at most 200 */
	int64_t after, until;
};
/* One page, in the arena: rising, complete until *through. Errors: faults. */
enum trl_code stream_read(trl_ctx *ctx, const struct edge *edge,
    const struct stream_ask *ask, struct stream_entry **rows, size_t *n,
    int64_t *through) TRL_MUST_CHECK;
/* The last number there is. Errors: faults. */
enum trl_code stream_head(
    trl_ctx *ctx, const struct edge *edge, int64_t *head) TRL_MUST_CHECK;
/* Whose feed went on after a number (NULL: only the last one). Errors: faults. */
enum trl_code stream_changes(trl_ctx *ctx, const struct edge *edge,
    const int64_t *after, Notify__V1__ListFeedChangesReply **out) TRL_MUST_CHECK;

/* post.c - the one door from other threads: a list under a lock, and a wake-up of
 * the loop. */
#include <stdlib.h>

#include "runtime.h"

struct trl_post {
	struct trl_post *next;
	void (*fn)(void *arg);
	void *arg;
};

static struct trl_post *
take_all(trl_loop *loop)
{
	struct trl_post *all;

	uv_mutex_lock(&loop->post_lock);
	all = loop->posts;
	loop->posts = NULL;
	loop->posts_last = &loop->posts;
	uv_mutex_unlock(&loop->post_lock);
	return all;
}

static void
run_posts(uv_async_t *async)
{
	struct trl_post *post = take_all(async->data);

	while (post != NULL) {
		struct trl_post *next = post->next;

		post->fn(post->arg);
		free(post);
		post = next;
	}
}

void
trl_post_init(trl_loop *loop)
{
	trl_assert(uv_mutex_init(&loop->post_lock) == 0);
	loop->posts_last = &loop->posts;
	trl_assert(uv_async_init(&loop->uv, &loop->async, run_posts) == 0);
	loop->async.data = loop;
}

void
trl_post_fini(trl_loop *loop)
{
	struct trl_post *post = take_all(loop);

	while (post != NULL) { /* nobody is left to run them */
		struct trl_post *next = post->next;

		free(post);
		post = next;
	}
	uv_mutex_destroy(&loop->post_lock);
}

void
trl_loop_post(trl_loop *loop, void (*fn)(void *arg), void *arg)
{
	struct trl_post *post = malloc(sizeof *post);
	bool first;

	trl_assert(post != NULL);
	*post = (struct trl_post){ NULL, fn, arg };
	uv_mutex_lock(&loop->post_lock);
	first = loop->posts == NULL;
	*loop->posts_last = post;
	loop->posts_last = &post->next;
	uv_mutex_unlock(&loop->post_lock);
	if (first) /* else a wake-up is under way */
		uv_async_send(&loop->async);
}

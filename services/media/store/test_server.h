/* test_server.h - an S3 server for a test: a script beside it that says its port and
 * serves until its standard input ends. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "store/open.h"

struct test_server {
	pid_t pid;
	int input;
	FILE *told;
	char url[64];
	trl_secret *secret;
};

static const char test_bucket[] = "files", test_key[] = "test:tester",
		  test_secret[] = "testing", test_region[] = "test-region-1";

/* The script's own words go to the test's output. */
static inline void
test_server_start(struct test_server *server, const char *script)
{
	int input[2], output[2];
	char path[512] = __FILE__, line[32] = "";

	strcpy(strrchr(path, '/') + 1, script);
	assert_int_equal(pipe(input), 0);
	assert_int_equal(pipe(output), 0);
	server->pid = fork();
	if (server->pid == 0) {
		dup2(input[0], 0);
		dup2(output[1], 1);
		close(input[0]);
		close(input[1]);
		close(output[0]);
		close(output[1]);
		execl("/usr/bin/python3", "python3", "-B", path, test_bucket, test_key,
		    test_secret, test_region, (char *)NULL);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	server->input = input[1];
	server->told = fdopen(output[0], "r");
	if (fgets(line, sizeof line, server->told) == NULL)
		fail_msg(
		    "%s did not start; are the packages of tests installed?", path);
	snprintf(server->url, sizeof server->url, "http://127.0.0.1:%ld",
	    strtol(line, NULL, 10));
	server->secret = trl_secret_new(test_secret, sizeof test_secret - 1);
}

static inline void
test_server_end(struct test_server *server)
{
	int status;

	close(server->input);
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
	fclose(server->told);
	trl_secret_free(&server->secret);
}

/* What a test changes of it comes before. */
static inline struct media_config
test_server_config(const struct test_server *server)
{
	return (struct media_config){ .store = "s3",
		.s3_url = server->url,
		.s3_bucket = test_bucket,
		.s3_region = test_region,
		.s3_key_id = test_key,
		.s3_secret = server->secret,
		.s3_path_style = true,
		.s3_redirect_s = 300 };
}

/* ages.h - how old the secrets in use are, and how long the certificates in use still
 * last, as metrics (trellis_secret_timestamp_seconds,
 * trellis_certificate_expiry_timestamp_seconds). Whoever takes a secret or certificate
 * into use says so, at the start and each time a changed one takes over. Loop thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* setting: its variable, without _FILE. path: the file it was read from, whose last
 * change counts; NULL: none, and it counts as new. */
void trl_age_secret(const char *setting, const char *path);
/* pem: what is in use, one certificate or several, of which the first to expire
 * counts; what else stands there is passed over. */
void trl_age_certificate(const char *setting, const char *pem, size_t len);
/* The same of a file's text; -1 where it cannot be read. Start-up only. */
void trl_age_certificate_file(const char *setting, const char *path);

/* Unix seconds at which the first of the certificates in a PEM text expires (notAfter,
 * RFC 5280, 4.1.2.5); -1: there is none, or one cannot be read. Any thread. */
int64_t trl_certificate_expiry(const char *pem, size_t len);

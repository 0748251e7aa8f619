/* traces.c - to whom a process tells what it did for the messages of a trace. */
#include <unistd.h>

#include <trl/complain.h>
#include <trl/traces.h>

#include "config.h"

bool
process_check_traces(const struct process_config *config)
{
	const char *wrong;
	bool fine = true;

	if (config->otlp_url != NULL) {
		wrong = trl_traces_refused_url(config->otlp_url);
		if (wrong != NULL)
			trl_complain("TRELLIS_OTLP_URL is \"%s\": %s; set the "
				     "collector's, such as http://127.0.0.1:4318",
			    config->otlp_url, wrong);
		fine = wrong == NULL;
	}
	wrong = trl_traces_refused_headers(config->otlp_headers);
	if (wrong != NULL)
		trl_complain("TRELLIS_OTLP_HEADERS: %s; set name=value,name=value, "
			     "with anything unusual in a value as %%20",
		    wrong);
	fine = fine && wrong == NULL;
	if (config->otlp_ca != NULL && access(config->otlp_ca, R_OK) != 0) {
		trl_complain(
		    "TRELLIS_OTLP_CA names %s, which cannot be read", config->otlp_ca);
		fine = false;
	}
	return fine;
}

bool
process_open_traces(trl_loop *loop, const struct process_config *config,
    const char *name, trl_traces **out)
{
	const struct trl_traces_options options = {
		.url = config->otlp_url,
		.headers = config->otlp_headers,
		.ca_file = config->otlp_ca,
		.ratio = config->trace_ratio,
		.service = name,
		.version = TRELLIS_VERSION,
	};

	if (config->otlp_url == NULL)
		return true;
	*out = trl_traces_open(loop, &options);
	return *out != NULL;
}

bool
process_traces_drained(trl_traces *traces)
{
	if (traces == NULL)
		return true;
	trl_traces_flush(traces);
	return trl_traces_flushed(traces);
}

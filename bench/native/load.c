// load opens WebSocket connections, or streams, and measures a server with them. One thread, one epoll,
// messages made in advance: it costs less than what it measures. Between commands it answers pings.
//
//   load PORT                commands come on standard input, one at a time; answers go to standard output:
//   script FIELD HEX         sets a field of struct script; "ok"
//   spin 0|1                 wait by looking again and again, on a processor of its own; "ok"
//   connect N CHANNELS       open N more subscribers, spread over channels; "ok"
//   publishers N CHANNELS    open N lines that publish; "ok"
//   plain PORT N             open N lines that publish over HTTP; "ok"
//   echo BYTES FLIGHT CONNS MILLIS CHECK
//                            on CONNS connections send FLIGHT messages at a time and wait for
//                            their echoes; "MESSAGES NANOSECONDS P50 P99" (of a burst, in µs).
//                            MILLIS 0: once on each. CHECK 1: compare the first echoes byte for byte
//   sink BYTES               read BYTES on every connection; "ready", then "ok NANOSECONDS"
//   fan BYTES K COUNT MICROS CHANNELS
//                            COUNT times, MICROS apart or when all before is delivered, whichever is later: publish K messages at
//                            once, on each channel in turn, and wait for all deliveries; "DELIVERIES NANOSECONDS P50 P99" (of a delivery, in µs)
//   flat BYTES FLIGHT COUNT CHANNELS
//                            publish COUNT messages as fast as answers allow, FLIGHT unanswered; the same
//   publish BYTES FLIGHT COUNT CHANNELS
//                            the same on all publishing lines, FLIGHT unanswered on each, and wait for the answers alone
#define _GNU_SOURCE
#include "line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MICROS_MAX = 1 << 22, PAYLOAD_MAX = 64 << 10 };

static int port, spin;
static uint32_t histogram[MICROS_MAX];

static void answer(const char *text) {
	puts(text);
	fflush(stdout);
}

static void count_latency(uint64_t nanoseconds, uint64_t times) {
	uint64_t micros = nanoseconds / 1000;
	histogram[micros < MICROS_MAX ? micros : MICROS_MAX - 1] += (uint32_t)times;
}

static int percentile(uint64_t all, double part) {
	uint64_t seen = 0;
	for (int i = 0; i < MICROS_MAX; i++) {
		seen += histogram[i];
		if (seen > 0 && (double)seen >= part * (double)all) return i;
	}
	return MICROS_MAX;
}

static void answer_figures(uint64_t messages, uint64_t nanoseconds, uint64_t measured) {
	char text[128];
	snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %d %d", messages, nanoseconds, percentile(measured, 0.5), percentile(measured, 0.99));
	answer(text);
}

// --- echo and sink: bytes are counted, no message is looked at ---

static void make_burst(size_t bytes, int flight, uint8_t **out, size_t *out_bytes, uint8_t **back, size_t *back_bytes) {
	char *payload = malloc(bytes + 1);
	*out = malloc((size_t)flight * (bytes + 8));
	*back = malloc((size_t)flight * (bytes + 4));
	*out_bytes = *back_bytes = 0;
	script.binary = 1;
	for (int m = 0; m < flight; m++) {
		for (size_t i = 0; i < bytes; i++) payload[i] = (char)('a' + (i + (size_t)m) % 26);
		*out_bytes += put_message(*out + *out_bytes, payload, bytes);
		*back_bytes += put_header(*back + *back_bytes, bytes, 1, 0);
		memcpy(*back + *back_bytes, payload, bytes);
		*back_bytes += bytes;
	}
	free(payload);
}

static void echo(size_t bytes, int flight, int conns, int millis, int check) {
	uint8_t *out, *back;
	size_t out_bytes, back_bytes;
	make_burst(bytes, flight, &out, &out_bytes, &back, &back_bytes);
	memset(histogram, 0, sizeof histogram);
	uint64_t bursts = 0, begin = now(), end = begin + (uint64_t)millis * 1000000u, t = begin, last = begin;
	int busy = conns;
	for (int i = 0; i < conns; i++) {
		lines[i].due = back_bytes;
		lines[i].checked = 0;
		lines[i].began = now();
		write_all(lines[i].fd, out, out_bytes);
	}
	while (busy > 0) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(epoll_fd, events, EVENTS_MAX, spin ? 0 : STALL_MS);
		t = now();
		errno = ETIMEDOUT;
		if (n > 0) last = t;
		else if (!spin || t - last > STALL_MS * 1000000ull) fail("echoes are missing");
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 >= LINES_MAX) continue;
			struct line *l = &lines[events[i].data.u32];
			ssize_t got = recv(l->fd, input, sizeof input, MSG_DONTWAIT);
			if (got < 0 && errno == EAGAIN) continue;
			if (got == 0) errno = ECONNRESET;
			if (got <= 0) fail("read");
			errno = EBADMSG;
			if (check && l->checked < back_bytes) {
				size_t m = back_bytes - l->checked < (size_t)got ? back_bytes - l->checked : (size_t)got;
				if (memcmp(input, back + l->checked, m) != 0) fail("the echo differs");
				l->checked += (uint32_t)m;
			}
			if ((uint64_t)got > l->due) fail("the echo is too long");
			l->due -= (uint64_t)got;
			if (l->due > 0) continue;
			bursts++;
			count_latency(t - l->began, 1);
			if (t >= end) {
				busy--;
				continue;
			}
			l->due = back_bytes;
			l->began = t;
			write_all(l->fd, out, out_bytes);
		}
	}
	answer_figures(bursts * (uint64_t)flight, t - begin, bursts);
	free(out);
	free(back);
}

static void sink(uint64_t bytes) {
	uint64_t begin = now(), last = begin;
	int busy = lines_used;
	for (int i = 0; i < lines_used; i++) lines[i].due = bytes;
	answer("ready");
	while (busy > 0) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(epoll_fd, events, EVENTS_MAX, spin ? 0 : STALL_MS);
		errno = ETIMEDOUT;
		if (n > 0) last = now();
		else if (!spin || now() - last > STALL_MS * 1000000ull) fail("messages are missing");
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 >= LINES_MAX) continue;
			struct line *l = &lines[events[i].data.u32];
			ssize_t got = recv(l->fd, input, sizeof input, MSG_DONTWAIT);
			if (got < 0 && errno == EAGAIN) continue;
			if (got == 0) errno = ECONNRESET;
			if (got <= 0) fail("read");
			errno = EBADMSG;
			if ((uint64_t)got > l->due) fail("more came than was sent");
			l->due -= (uint64_t)got;
			if (l->due == 0) busy--;
		}
	}
	char text[64];
	snprintf(text, sizeof text, "ok %" PRIu64, now() - begin);
	answer(text);
}

// --- publishing: messages are counted by their marker, answers by their text ---

// run is what goes on while messages are published.
static struct {
	uint64_t deliveries, answers; // that have come
	uint64_t *sent;               // when each publication was sent; NULL: it does not matter
	uint64_t sent_count;
	uint64_t k;                   // publications sent together
	uint32_t channels;
	int again;                    // an answer is followed by another publication on that line
	uint64_t left;                // publications not sent yet
	size_t bytes;
} run;

static const char *payload(size_t bytes) { // a JSON string
	static char text[PAYLOAD_MAX];
	memset(text, 'x', bytes);
	text[0] = text[bytes - 1] = '"';
	text[1] = MARKER;
	return text;
}

static size_t put_publication(uint8_t *b, const struct line *l, uint32_t channel, size_t bytes) {
	static char text[PAYLOAD_MAX + 2 * SCRIPT_BYTES];
	if (l->plain) { // its head has room for the length of the body
		static char body[PAYLOAD_MAX + SCRIPT_BYTES];
		size_t n = (size_t)snprintf(body, sizeof body, script.http_body, channel);
		memcpy(body + n, payload(bytes), bytes);
		n += bytes;
		n += (size_t)sprintf(body + n, "%s", script.http_body_end);
		size_t head = (size_t)snprintf((char *)b, SCRIPT_BYTES, script.http, (unsigned)n);
		memcpy(b + head, body, n);
		return head + n;
	}
	size_t n = (size_t)snprintf(text, sizeof text, script.publish, channel);
	if (script.sized) n += (size_t)sprintf(text + n, "%zu\r\n", bytes);
	memcpy(text + n, payload(bytes), bytes);
	n += bytes;
	n += (size_t)sprintf(text + n, "%s", script.publish_end);
	return put_message(b, text, n);
}

static void publish(struct line *l, uint32_t channel, uint64_t times) {
	static uint8_t *out;
	if (out == NULL && (out = malloc(64 * (PAYLOAD_MAX + 2 * SCRIPT_BYTES))) == NULL) fail("memory");
	size_t n = 0;
	for (; times > 0; times--) n += put_publication(out + n, l, channel, run.bytes);
	l->began = now();
	write_all(l->fd, out, n);
}

static void on_heard(struct line *l, uint64_t messages, uint64_t answers) {
	uint64_t t = now();
	run.answers += answers;
	run.deliveries += messages;
	if (messages > 0 && run.sent != NULL) {
		for (uint64_t m = l->received - messages; m < l->received; m++) {
			uint64_t publication = m / run.k * run.channels + l->number;
			errno = EBADMSG;
			if (publication >= run.sent_count) fail("more came than was published");
			count_latency(t - run.sent[publication], 1);
		}
	}
	if (answers > 0 && run.again) {
		uint64_t more = answers < run.left ? answers : run.left;
		count_latency(t - l->began, answers);
		if (more == 0) return;
		run.left -= more;
		publish(l, l->number, more);
	}
}

// pump handles what has come, waiting for at most millis for it. It returns 0 if nothing had, and 2 if a command is there.
static int pump(int millis) {
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(epoll_fd, events, EVENTS_MAX, millis);
	int command = 0;
	for (int i = 0; i < n; i++) {
		if (events[i].data.u32 < LINES_MAX) line_read(&lines[events[i].data.u32]);
		else command = 1;
	}
	return command ? 2 : n > 0;
}

static void wait_for(const uint64_t *what, uint64_t all, const char *missing) {
	uint64_t last = now();
	while (*what < all) {
		if (pump(spin ? 0 : STALL_MS)) last = now();
		else if (now() - last > (STALL_MS - 100) * 1000000ull) {
			errno = ETIMEDOUT;
			fprintf(stderr, "load: %" PRIu64 " of %" PRIu64 "\n", *what, all);
			fail(missing);
		}
	}
}

static void begin_run(size_t bytes, uint64_t k, uint32_t channels) {
	errno = EINVAL;
	if (bytes < 3 || bytes > PAYLOAD_MAX) fail("a payload of that size");
	free(run.sent);
	memset(&run, 0, sizeof run);
	run.bytes = bytes;
	run.k = k;
	run.channels = channels;
	memset(histogram, 0, sizeof histogram);
	for (int i = 0; i < lines_used; i++) lines[i].received = lines[i].answered = 0;
	heard = on_heard;
}

static struct line *first_publisher(void) {
	for (int i = 0; i < lines_used; i++) {
		if (lines[i].publisher) return &lines[i];
	}
	errno = EINVAL;
	fail("no publisher is open");
	return NULL;
}

// deliveries_of returns how many come of count publications on each channel in turn.
static uint64_t deliveries_of(uint64_t count, uint32_t channels) {
	uint64_t all = 0;
	for (int i = 0; i < lines_used; i++) {
		if (!lines[i].publisher && !lines[i].plain) all += count / channels + (lines[i].number < count % channels);
	}
	return all;
}

static void all_came(uint64_t all) {
	errno = EBADMSG;
	if (run.deliveries != all) fail("more came than was published");
}

static void fan(size_t bytes, uint64_t k, uint64_t count, uint64_t micros, uint32_t channels) {
	struct line *l = first_publisher();
	begin_run(bytes, k, channels);
	run.sent = calloc(count, sizeof *run.sent);
	run.sent_count = count;
	uint64_t begin = now(), next = begin;
	for (uint64_t i = 0; i < count; i++) {
		// What has not come yet is waited for, so that nothing is sent together with what follows.
		wait_for(&run.deliveries, k * deliveries_of(i, channels), "deliveries are missing");
		for (uint64_t t; (t = now()) < next;) pump(spin ? 0 : (int)((next - t) / 1000000));
		next = now() + micros * 1000;
		run.sent[i] = now();
		publish(l, (uint32_t)(i % channels), k);
	}
	uint64_t all = k * deliveries_of(count, channels);
	wait_for(&run.deliveries, all, "deliveries are missing");
	wait_for(&run.answers, k * count, "answers are missing");
	all_came(all);
	answer_figures(run.deliveries, now() - begin, all);
}

static void flat(size_t bytes, uint64_t flight, uint64_t count, uint32_t channels) {
	struct line *l = first_publisher();
	begin_run(bytes, 1, channels);
	uint64_t begin = now();
	for (uint64_t i = 0; i < count;) {
		uint64_t more = flight - (i - run.answers);
		if (more > count - i) more = count - i;
		if (channels > 1 && more > 0) more = 1;
		if (more > 0) publish(l, (uint32_t)(i % channels), more);
		i += more;
		wait_for(&run.answers, i - flight + 1 > i ? 0 : i - flight + 1, "answers are missing");
	}
	wait_for(&run.answers, count, "answers are missing");
	uint64_t all = deliveries_of(count, channels);
	wait_for(&run.deliveries, all, "deliveries are missing");
	all_came(all);
	answer_figures(run.deliveries, now() - begin, 0);
}

static void publish_all(size_t bytes, uint64_t flight, uint64_t count, uint32_t channels) {
	begin_run(bytes, 1, channels);
	run.again = 1;
	run.left = count;
	uint64_t begin = now();
	for (int i = 0; i < lines_used; i++) {
		if (!lines[i].publisher && !lines[i].plain) continue;
		uint64_t more = flight < run.left ? flight : run.left;
		run.left -= more;
		if (more > 0) publish(&lines[i], lines[i].number % channels, more);
	}
	wait_for(&run.answers, count, "answers are missing");
	answer_figures(run.answers, now() - begin, run.answers);
}

// --- commands ---

static void set_field(const char *field, const char *hex) {
	struct {
		const char *name;
		char *text;
		size_t room;
	} fields[] = {
		{"request", script.request, sizeof script.request}, {"stream", script.stream, sizeof script.stream},
		{"subscribe", script.subscribe, sizeof script.subscribe}, {"ready", script.ready, sizeof script.ready},
		{"connect", script.connect, sizeof script.connect},
		{"connected", script.connected, sizeof script.connected}, {"publish", script.publish, sizeof script.publish},
		{"publish_end", script.publish_end, sizeof script.publish_end}, {"answer", script.answer, sizeof script.answer},
		{"ping", script.ping, sizeof script.ping}, {"pong", script.pong, sizeof script.pong},
		{"http", script.http, sizeof script.http}, {"http_body", script.http_body, sizeof script.http_body},
		{"http_body_end", script.http_body_end, sizeof script.http_body_end},
	};
	char text[SCRIPT_BYTES];
	size_t n = 0;
	unsigned byte;
	for (; n < sizeof text - 1 && sscanf(hex + 2 * n, "%2x", &byte) == 1; n++) text[n] = (char)byte;
	text[n] = 0;
	if (strcmp(field, "sized") == 0) script.sized = text[0] == '1';
	if (strcmp(field, "binary") == 0) script.binary = text[0] == '1';
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strcmp(field, fields[i].name) == 0 && n < fields[i].room) memcpy(fields[i].text, text, n + 1);
	}
}

static void obey(const char *command) {
	static char field[64], hex[2 * SCRIPT_BYTES];
	uint64_t a, b, c, d, e;
	heard = NULL;
	hex[0] = 0;
	if (sscanf(command, "script %63s %8191s", field, hex) >= 1) {
		set_field(field, hex);
	} else if (sscanf(command, "spin %" SCNu64, &a) == 1) {
		spin = (int)a;
	} else if (sscanf(command, "connect %" SCNu64 " %" SCNu64, &a, &b) == 2) {
		open_lines(port, a, (uint32_t)b, 0, 0);
	} else if (sscanf(command, "publishers %" SCNu64 " %" SCNu64, &a, &b) == 2) {
		open_lines(port, a, (uint32_t)b, 1, 0);
	} else if (sscanf(command, "plain %" SCNu64 " %" SCNu64, &a, &b) == 2) {
		open_lines((int)a, b, 1, 0, 1);
	} else if (sscanf(command, "echo %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c, &d, &e) == 5) {
		errno = EINVAL;
		if (c > (uint64_t)lines_used) fail("echo on connections that are not open");
		return echo(a, (int)b, (int)c, (int)d, (int)e);
	} else if (sscanf(command, "sink %" SCNu64, &a) == 1) {
		return sink(a);
	} else if (sscanf(command, "fan %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c, &d, &e) == 5) {
		return fan(a, b, c, d, (uint32_t)e);
	} else if (sscanf(command, "flat %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c, &d) == 4) {
		return flat(a, b, c, (uint32_t)d);
	} else if (sscanf(command, "publish %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c, &d) == 4) {
		return publish_all(a, b, c, (uint32_t)d);
	} else {
		fprintf(stderr, "load: unknown command %s", command);
		exit(2);
	}
	answer("ok");
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: load PORT\n");
		return 2;
	}
	port = atoi(argv[1]);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = LINES_MAX};
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &e);
	static char command[4 * SCRIPT_BYTES];
	for (size_t have = 0;;) {
		if (pump(-1) != 2) continue;
		ssize_t got = read(STDIN_FILENO, command + have, sizeof command - 1 - have);
		if (got <= 0) return 0;
		have += (size_t)got;
		command[have] = 0;
		if (strchr(command, '\n') == NULL) continue;
		have = 0;
		obey(command);
	}
}

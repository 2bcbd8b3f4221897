#define _GNU_SOURCE
#include "line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// Lines that are being opened at a time: many clients come at once, and the accept queue still never overflows.
enum { OPENING_MAX = 16 };

struct line lines[LINES_MAX];
int lines_used, epoll_fd;
struct script script;
uint8_t input[READ_BYTES];
void (*heard)(struct line *l, uint64_t messages, uint64_t answers);

static uint64_t opening;

void fail(const char *what) {
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void write_all(int fd, const uint8_t *b, size_t n) {
	while (n > 0) {
		ssize_t w = send(fd, b, n, MSG_NOSIGNAL);
		if (w < 0 && errno == EAGAIN) {
			usleep(50);
			continue;
		}
		if (w <= 0) fail("write");
		b += w;
		n -= (size_t)w;
	}
}

size_t put_header(uint8_t *b, size_t bytes, int binary, int masked) {
	uint8_t mask = masked ? 0x80 : 0;
	b[0] = binary ? 0x82 : 0x81; // final
	if (bytes < 126) {
		b[1] = mask | (uint8_t)bytes;
		return 2;
	}
	b[1] = mask | 126;
	b[2] = (uint8_t)(bytes >> 8);
	b[3] = (uint8_t)bytes;
	return 4;
}

// put_message writes a whole masked message.
size_t put_message(uint8_t *b, const char *text, size_t bytes) {
	static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
	size_t n = put_header(b, bytes, script.binary, 1);
	memcpy(b + n, key, 4);
	n += 4;
	for (size_t i = 0; i < bytes; i++) b[n++] = (uint8_t)text[i] ^ key[i % 4];
	return n;
}

static void say(struct line *l, const char *format) {
	static char text[SCRIPT_BYTES];
	static uint8_t frame[SCRIPT_BYTES + 16];
	int n = snprintf(text, sizeof text, format, l->number, l->number);
	write_all(l->fd, frame, put_message(frame, text, (size_t)n));
}

static void is_ready(struct line *l) {
	l->state = LINE_READY;
	opening--;
}

// upgraded goes on when the answer to the request has come; it returns how many bytes that was.
static size_t upgraded(struct line *l, const uint8_t *b, size_t n) {
	const uint8_t *end = memmem(b, n, "\r\n\r\n", 4);
	if (end == NULL) return 0;
	if (n < 12 || memcmp(b, l->stream ? "HTTP/1.1 200" : "HTTP/1.1 101", 12) != 0) {
		fprintf(stderr, "load: the server answers %.*s\n", (int)strcspn((const char *)b, "\r"), b);
		errno = EPROTO;
		fail("the request was refused");
	}
	const char *text = l->publisher ? script.connect : script.subscribe;
	if (l->stream) {
		l->state = LINE_SUBSCRIBING;
	} else if (*text == 0) {
		is_ready(l);
	} else {
		l->state = LINE_SUBSCRIBING;
		say(l, text);
	}
	return (size_t)(end + 4 - b);
}

static uint64_t count(const uint8_t *b, size_t n, const char *text) {
	uint64_t times = 0;
	size_t size = strlen(text);
	if (size == 0) return 0;
	for (const uint8_t *at; (at = memmem(b, n, text, size)) != NULL; times++) {
		n -= (size_t)(at + size - b);
		b = at + size;
	}
	return times;
}

static uint64_t count_markers(const uint8_t *b, size_t n) {
	uint64_t times = 0;
	for (size_t i = 0; i < n; i++) times += b[i] == MARKER;
	return times;
}

static void pong(struct line *l, const uint8_t *b, size_t n) {
	uint8_t frame[6 + 125] = {0x8a, 0x80 | (uint8_t)n}; // the mask is 0
	memcpy(frame + 6, b, n);
	write_all(l->fd, frame, 6 + n);
}

// has_line reports whether a line of b begins with text: a ping may come together with messages.
static int has_line(const uint8_t *b, size_t n, const char *text) {
	size_t size = strlen(text);
	for (const uint8_t *at; n >= size; n -= (size_t)(at + 1 - b), b = at + 1) {
		if (memcmp(b, text, size) == 0) return 1;
		if ((at = memchr(b, '\n', n)) == NULL) return 0;
	}
	return 0;
}

static void subscribing(struct line *l, const uint8_t *b, size_t n) {
	const char *ready = l->publisher ? script.connected : script.ready;
	if (memmem(b, n, ready, strlen(ready)) != NULL) is_ready(l);
	else if (memmem(b, n, "error", 5) != NULL || memmem(b, n, "-ERR", 4) != NULL) {
		fprintf(stderr, "load: the server said %.*s\n", (int)n, b);
		errno = EPROTO;
		fail("subscribing");
	}
}

static void message(struct line *l, const uint8_t *b, size_t n, uint64_t *messages, uint64_t *answers) {
	if (l->state == LINE_SUBSCRIBING) return subscribing(l, b, n);
	if (*script.ping && has_line(b, n, script.ping)) say(l, script.pong);
	if (l->publisher) *answers += count(b, n, script.answer);
	else *messages += count_markers(b, n);
}

static void came(struct line *l, uint64_t messages, uint64_t answers) {
	if (messages + answers == 0) return;
	l->received += messages;
	l->answered += answers;
	if (heard != NULL) heard(l, messages, answers);
}

// stream handles what stands in a stream and returns how many bytes that was: until it is ready none, for the text may come in parts.
static size_t stream(struct line *l, const uint8_t *b, size_t n) {
	if (l->state == LINE_SUBSCRIBING) subscribing(l, b, n);
	if (l->state == LINE_SUBSCRIBING) return 0;
	came(l, count_markers(b, n), 0);
	return n;
}

// frames handles the whole frames of b and returns how many bytes they were.
static size_t frames(struct line *l, const uint8_t *b, size_t n) {
	size_t at = 0;
	uint64_t messages = 0, answers = 0;
	while (n - at >= 2) {
		size_t head = 2, bytes = b[at + 1] & 0x7f;
		if (bytes == 126) {
			head = 4;
			if (n - at < head) break;
			bytes = (size_t)b[at + 2] << 8 | b[at + 3];
		} else if (bytes == 127) {
			head = 10;
			if (n - at < head) break;
			bytes = 0;
			for (size_t i = 2; i < 10; i++) bytes = bytes << 8 | b[at + i];
		}
		if (n - at - head < bytes) break;
		const uint8_t *payload = b + at + head;
		switch (b[at] & 0x0f) {
		case 8:
			fprintf(stderr, "load: the server closes: %.*s\n", bytes > 2 ? (int)bytes - 2 : 0, payload + 2);
			errno = ECONNRESET;
			fail("a line was closed");
			break;
		case 9: pong(l, payload, bytes); break;
		case 10: break;
		default: message(l, payload, bytes, &messages, &answers);
		}
		at += head + bytes;
	}
	came(l, messages, answers);
	return at;
}

void line_read(struct line *l) {
	size_t have = l->rest_bytes;
	if (have > 0) {
		memcpy(input, l->rest, have);
		free(l->rest);
		l->rest = NULL;
		l->rest_bytes = 0;
	}
	ssize_t got = recv(l->fd, input + have, sizeof input - have, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		if (got == 0) errno = ECONNRESET;
		fail("a line ended");
	}
	size_t n = have + (got > 0 ? (size_t)got : 0), used = 0;
	if (l->plain) {
		uint64_t answers = count(input, n, "HTTP/1.1 200");
		if (answers > 0 && heard != NULL) heard(l, 0, answers);
		if (answers == 0 && memmem(input, n, "HTTP/1.1 ", 9) != NULL) {
			fprintf(stderr, "load: the server answers %.*s\n", (int)n, input);
			errno = EPROTO;
			fail("publishing over HTTP");
		}
		return;
	}
	if (l->state == LINE_UPGRADING) used = upgraded(l, input, n);
	if (l->state != LINE_UPGRADING) used += (l->stream ? stream : frames)(l, input + used, n - used);
	if (used < n) {
		l->rest_bytes = n - used;
		if ((l->rest = malloc(l->rest_bytes)) == NULL) fail("memory");
		memcpy(l->rest, input + used, l->rest_bytes);
	}
}

static void open_line(int port, uint32_t number, int publisher, int plain) {
	if (lines_used == LINES_MAX) fail("too many connections");
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) fail("socket");
	int one = 1;
	struct linger abort_at_end = {1, 0}; // leaves no TIME_WAIT behind
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_at_end, sizeof abort_at_end);
	if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) fail("connect");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = (uint32_t)lines_used};
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) fail("epoll_ctl");
	struct line *l = &lines[lines_used++];
	*l = (struct line){.fd = fd, .number = number, .publisher = publisher, .plain = plain, .state = LINE_READY};
	if (!plain) {
		static char head[SCRIPT_BYTES];
		l->state = LINE_UPGRADING;
		l->stream = *script.stream && !publisher;
		opening++;
		int n = snprintf(head, sizeof head, l->stream ? script.stream : script.request, number);
		write_all(fd, (const uint8_t *)head, (size_t)n);
	}
}

void open_lines(int port, uint64_t n, uint32_t channels, int publisher, int plain) {
	for (uint32_t i = 0; n > 0 || opening > 0;) {
		for (; n > 0 && opening < OPENING_MAX; n--) open_line(port, i++ % channels, publisher, plain);
		struct epoll_event events[EVENTS_MAX];
		if (opening == 0) continue;
		int got = epoll_wait(epoll_fd, events, EVENTS_MAX, STALL_MS);
		if (got == 0) {
			errno = ETIMEDOUT;
			fail("connections do not get ready");
		}
		for (int k = 0; k < got; k++) {
			if (events[k].data.u32 < LINES_MAX) line_read(&lines[events[k].data.u32]);
		}
	}
}

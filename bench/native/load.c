// load opens WebSocket connections and measures a server with them. One thread, one
// epoll, frames masked in advance: it costs less than what it measures.
//
//   load PORT [CPU]          commands come on standard input, answers go to standard output:
//   connect N                open N more connections; "ok"
//   echo BYTES FLIGHT CONNS MILLIS CHECK
//                            on CONNS connections send FLIGHT messages at a time and wait for
//                            their echoes; "MESSAGES NANOSECONDS P50 P99" (of a burst, in µs).
//                            MILLIS 0: once on each. CHECK 1: compare the first echoes byte for byte
//   sink BYTES               read BYTES on every connection; "ok NANOSECONDS"
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 20000, EVENTS_MAX = 1024, READ_BYTES = 1 << 20, MICROS_MAX = 1 << 18, STALL_MS = 20000 };

struct line {
	int fd;
	uint64_t due;    // bytes that have to come
	uint64_t began;  // of the burst
	uint32_t checked;
};

static struct line lines[LINES_MAX];
static int lines_used, epoll;
static struct sockaddr_in server;
static uint8_t input[READ_BYTES];
static uint32_t histogram[MICROS_MAX];

static void fail(const char *what) {
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void answer(const char *text) {
	puts(text);
	fflush(stdout);
}

static void write_all(int fd, const uint8_t *b, size_t n) {
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

static const char request[] =
	"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// open_line waits for the answer to its request, so that the server's accept queue never overflows.
static void open_line(void) {
	if (lines_used == LINES_MAX) fail("too many connections");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) fail("socket");
	int one = 1;
	struct linger abort_at_end = {1, 0}; // leaves no TIME_WAIT behind
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_at_end, sizeof abort_at_end);
	if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) fail("connect");
	write_all(fd, (const uint8_t *)request, sizeof request - 1);
	size_t have = 0;
	while (have < 4 || memmem(input, have, "\r\n\r\n", 4) == NULL) {
		ssize_t n = recv(fd, input + have, sizeof input - have, 0);
		if (n <= 0) fail("handshake");
		have += (size_t)n;
	}
	if (strncmp((char *)input, "HTTP/1.1 101", 12) != 0) {
		errno = EPROTO;
		fail("handshake");
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = (uint32_t)lines_used};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0) fail("epoll_ctl");
	lines[lines_used++] = (struct line){.fd = fd};
}

static size_t put_header(uint8_t *b, size_t bytes, int masked) {
	uint8_t mask = masked ? 0x80 : 0;
	b[0] = 0x82; // binary, final
	if (bytes < 126) {
		b[1] = mask | (uint8_t)bytes;
		return 2;
	}
	b[1] = mask | 126;
	b[2] = (uint8_t)(bytes >> 8);
	b[3] = (uint8_t)bytes;
	return 4;
}

// frames makes FLIGHT masked messages and the echo that is expected of them.
static void frames(size_t bytes, int flight, uint8_t **out, size_t *out_bytes, uint8_t **back, size_t *back_bytes) {
	static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
	*out = malloc((size_t)flight * (bytes + 8));
	*back = malloc((size_t)flight * (bytes + 4));
	*out_bytes = *back_bytes = 0;
	for (int m = 0; m < flight; m++) {
		*out_bytes += put_header(*out + *out_bytes, bytes, 1);
		memcpy(*out + *out_bytes, key, 4);
		*out_bytes += 4;
		*back_bytes += put_header(*back + *back_bytes, bytes, 0);
		for (size_t i = 0; i < bytes; i++) {
			uint8_t c = (uint8_t)('a' + (i + (size_t)m) % 26);
			(*out)[(*out_bytes)++] = c ^ key[i % 4];
			(*back)[(*back_bytes)++] = c;
		}
	}
}

static void count_burst(uint64_t nanoseconds) {
	uint64_t micros = nanoseconds / 1000;
	histogram[micros < MICROS_MAX ? micros : MICROS_MAX - 1]++;
}

static int percentile(uint64_t bursts, double part) {
	uint64_t seen = 0;
	for (int i = 0; i < MICROS_MAX; i++) {
		seen += histogram[i];
		if (seen > 0 && (double)seen >= part * (double)bursts) return i;
	}
	return MICROS_MAX;
}

static void echo(size_t bytes, int flight, int conns, int millis, int check) {
	uint8_t *out, *back;
	size_t out_bytes, back_bytes;
	frames(bytes, flight, &out, &out_bytes, &back, &back_bytes);
	memset(histogram, 0, sizeof histogram);
	uint64_t bursts = 0, begin = now(), end = begin + (uint64_t)millis * 1000000u, t = begin;
	int busy = conns;
	for (int i = 0; i < conns; i++) {
		lines[i].due = back_bytes;
		lines[i].checked = 0;
		lines[i].began = now();
		write_all(lines[i].fd, out, out_bytes);
	}
	while (busy > 0) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(epoll, events, EVENTS_MAX, STALL_MS);
		if (n == 0) {
			errno = ETIMEDOUT;
			fail("echoes are missing");
		}
		t = now();
		for (int i = 0; i < n; i++) {
			struct line *l = &lines[events[i].data.u32];
			ssize_t got = recv(l->fd, input, sizeof input, MSG_DONTWAIT);
			if (got < 0 && errno == EAGAIN) continue;
			if (got <= 0) fail("read");
			if (check && l->checked < back_bytes) {
				size_t m = back_bytes - l->checked < (size_t)got ? back_bytes - l->checked : (size_t)got;
				errno = EBADMSG;
				if (memcmp(input, back + l->checked, m) != 0) fail("the echo differs");
				l->checked += (uint32_t)m;
			}
			errno = EBADMSG;
			if ((uint64_t)got > l->due) fail("the echo is too long");
			l->due -= (uint64_t)got;
			if (l->due > 0) continue;
			bursts++;
			count_burst(t - l->began);
			if (t >= end) {
				busy--;
				continue;
			}
			l->due = back_bytes;
			l->began = t;
			write_all(l->fd, out, out_bytes);
		}
	}
	char text[128];
	snprintf(text, sizeof text, "%llu %llu %d %d", (unsigned long long)bursts * (unsigned long long)flight,
		(unsigned long long)(t - begin), percentile(bursts, 0.5), percentile(bursts, 0.99));
	answer(text);
	free(out);
	free(back);
}

static void sink(uint64_t bytes) {
	uint64_t begin = now();
	int busy = lines_used;
	for (int i = 0; i < lines_used; i++) lines[i].due = bytes;
	answer("ready");
	while (busy > 0) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(epoll, events, EVENTS_MAX, STALL_MS);
		if (n == 0) {
			errno = ETIMEDOUT;
			fail("messages are missing");
		}
		for (int i = 0; i < n; i++) {
			struct line *l = &lines[events[i].data.u32];
			ssize_t got = recv(l->fd, input, sizeof input, MSG_DONTWAIT);
			if (got < 0 && errno == EAGAIN) continue;
			errno = EBADMSG;
			if (got <= 0 || (uint64_t)got > l->due) fail("read");
			l->due -= (uint64_t)got;
			if (l->due == 0) busy--;
		}
	}
	char text[64];
	snprintf(text, sizeof text, "ok %llu", (unsigned long long)(now() - begin));
	answer(text);
}

int main(int argc, char **argv) {
	if (argc < 2) {
		fprintf(stderr, "usage: load PORT [CPU]\n");
		return 2;
	}
	server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (argc > 2) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET(atoi(argv[2]), &set);
		sched_setaffinity(0, sizeof set, &set);
	}
	epoll = epoll_create1(EPOLL_CLOEXEC);
	char command[128];
	while (fgets(command, sizeof command, stdin) != NULL) {
		unsigned long long a, b, c, d, e;
		if (sscanf(command, "connect %llu", &a) == 1) {
			for (; a > 0; a--) open_line();
			answer("ok");
		} else if (sscanf(command, "echo %llu %llu %llu %llu %llu", &a, &b, &c, &d, &e) == 5) {
			if (c > (unsigned long long)lines_used) fail("echo on connections that are not open");
			echo(a, (int)b, (int)c, (int)d, (int)e);
		} else if (sscanf(command, "sink %llu", &a) == 1) {
			sink(a);
		} else {
			fprintf(stderr, "load: unknown command %s", command);
			return 2;
		}
	}
	return 0;
}

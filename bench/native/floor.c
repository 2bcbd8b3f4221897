// floor moves the bytes of a WebSocket server without doing its work: it reads,
// counts and writes as many bytes as there would be, one call of each a turn. What a server takes
// beyond it is what the server itself costs.
//
//   floor                    prints "listening PORT"; commands come on standard input, each is answered by "ok":
//   gc                       nothing
//   payload BYTES            how large the echoed messages are
//   fan BYTES K COUNT MICROS COUNT times, every MICROS: write K messages of BYTES to each connection, in one call
//   server                   from now on be the floor of a server: a message "S" is answered by "OK" and makes its line a subscriber; any
//                            other is written to each subscriber, in one call of write for each, and answered by "OK"
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 20000, EVENTS_MAX = 1024, BUFFER_BYTES = 256 << 10 };

struct line {
	uint8_t upgraded;
	uint8_t subscribed;
	uint32_t rest; // bytes of an unfinished message
};

static struct line lines[FDS_MAX + 64];
static int order[FDS_MAX], order_used;
static uint8_t input[BUFFER_BYTES], output[BUFFER_BYTES];
static size_t frame_in = 134, frame_out = 130;
static int epoll, serving;

static const char response[] =
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static void answer(const char *text) {
	puts(text);
	fflush(stdout);
}

static size_t header(size_t bytes) { return bytes < 126 ? 2 : 4; }

static void fan(size_t bytes, int k, int count, long micros) {
	size_t n = (size_t)k * (header(bytes) + bytes);
	for (int m = 0; m < k; m++) { // binary, final
		uint8_t *b = output + (size_t)m * (header(bytes) + bytes);
		b[0] = 0x82;
		b[1] = bytes < 126 ? (uint8_t)bytes : 126;
		b[2] = (uint8_t)(bytes >> 8);
		b[3] = (uint8_t)bytes;
	}
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int c = 0; c < count; c++) {
		for (int i = 0; i < order_used; i++) {
			if (write(order[i], output, n) != (ssize_t)n) {
				perror("floor: write");
				exit(1);
			}
		}
		next.tv_nsec += micros * 1000;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

static void command(void) {
	static char text[256];
	static size_t have;
	ssize_t got = read(0, text + have, sizeof text - 1 - have);
	if (got <= 0) exit(0);
	have += (size_t)got;
	text[have] = 0;
	if (strchr(text, '\n') == NULL) return;
	have = 0;
	unsigned long long a, b, c, d;
	if (sscanf(text, "payload %llu", &a) == 1) {
		frame_in = header(a) + 4 + a;
		frame_out = header(a) + a;
	} else if (sscanf(text, "fan %llu %llu %llu %llu", &a, &b, &c, &d) == 4) {
		fan(a, (int)b, (int)c, (long)d);
	} else if (strcmp(text, "server\n") == 0) {
		serving = 1;
	}
	answer("ok");
}

static void deliver(int fd, const uint8_t *b, size_t n) {
	for (int tries = 0; n > 0;) {
		ssize_t w = write(fd, b, n);
		if (w < 0 && errno == EAGAIN && tries++ < 100000) {
			usleep(50);
			continue;
		}
		if (w <= 0) {
			perror("floor: write");
			exit(1);
		}
		b += w;
		n -= (size_t)w;
	}
}

// fill reads until there are enough bytes.
static size_t fill(int fd, size_t have, size_t enough) {
	while (have < enough) {
		ssize_t more = recv(fd, input + have, sizeof input - have, 0);
		if (more > 0) have += (size_t)more;
		else if (more == 0 || errno != EAGAIN) exit(1);
	}
	return have;
}

// publish carries out the messages of a line, which are whole: the load writes each burst in one call,
// and what is left of one that was cut comes at once after it.
static void publish(int fd, ssize_t got) {
	static const uint8_t ok[] = {0x81, 2, 'O', 'K'};
	size_t at = 0, have = (size_t)got;
	while (at < have) {
		size_t head = 6, bytes;
		have = fill(fd, have, at + head);
		bytes = input[at + 1] & 0x7f;
		if (bytes == 126) {
			head = 8;
			have = fill(fd, have, at + head);
			bytes = (size_t)input[at + 2] << 8 | input[at + 3];
		}
		have = fill(fd, have, at + head + bytes);
		const uint8_t *key = input + at + head - 4;
		size_t n = header(bytes);
		output[0] = 0x81;
		output[1] = bytes < 126 ? (uint8_t)bytes : 126;
		output[2] = (uint8_t)(bytes >> 8);
		output[3] = (uint8_t)bytes;
		for (size_t i = 0; i < bytes; i++) output[n + i] = input[at + head + i] ^ key[i & 3];
		if (bytes == 1) {
			lines[fd].subscribed = 1;
		} else {
			for (int i = 0; i < order_used; i++) {
				if (lines[order[i]].subscribed) deliver(order[i], output, n + bytes);
			}
		}
		deliver(fd, ok, sizeof ok);
		at += head + bytes;
	}
}

static void serve(int fd) {
	struct line *l = &lines[fd];
	ssize_t got = recv(fd, input, sizeof input, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN) return;
	if (got <= 0) {
		close(fd);
		return;
	}
	if (!l->upgraded) {
		l->upgraded = 1;
		send(fd, response, sizeof response - 1, MSG_NOSIGNAL);
		return;
	}
	if (serving) {
		publish(fd, got);
		return;
	}
	size_t bytes = l->rest + (size_t)got;
	l->rest = (uint32_t)(bytes % frame_in);
	size_t out = bytes / frame_in * frame_out;
	for (size_t sent = 0; sent < out;) {
		ssize_t n = send(fd, output, out - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN) return;
		if (n > 0) sent += (size_t)n;
	}
}

int main(void) {
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
		perror("floor: listen");
		return 1;
	}
	getsockname(listener, (struct sockaddr *)&address, &size);
	printf("listening %d\n", ntohs(address.sin_port));
	fflush(stdout);
	epoll = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = listener};
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
	e.data.fd = 0;
	epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &e);
	for (;;) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(epoll, events, EVENTS_MAX, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == 0) {
				command();
			} else if (fd != listener) {
				serve(fd);
			} else {
				int one = 1, c = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
				if (c < 0) continue;
				setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
				lines[c] = (struct line){0};
				order[order_used++] = c;
				e.data.fd = c;
				epoll_ctl(epoll, EPOLL_CTL_ADD, c, &e);
			}
		}
	}
}

// A line is one connection of the load generator, WebSocket or a stream: how it is opened, and how what comes on it is read.
#ifndef LINE_H
#define LINE_H

#include <stddef.h>
#include <stdint.h>

enum { LINES_MAX = 20000, EVENTS_MAX = 1024, READ_BYTES = 1 << 20, STALL_MS = 20000, SCRIPT_BYTES = 4096 };

enum line_state { LINE_CLOSED, LINE_UPGRADING, LINE_SUBSCRIBING, LINE_READY };

struct line {
	int fd;
	enum line_state state;
	int plain;         // speaks HTTP: what comes is no frames
	int publisher;     // what comes are answers
	int stream;        // reads the body of an answer that does not end
	uint32_t checked;  // echo: bytes compared so far
	uint32_t number;   // of its channel
	uint64_t due;      // echo and sink: bytes that have to come
	uint64_t began;    // when the burst was sent, or the publication
	uint64_t received; // messages
	uint64_t answered; // publications
	uint8_t *rest;     // of an unfinished frame, or head
	size_t rest_bytes;
};

// script is what a server must be told and what it says, in its own protocol. A text may be empty.
struct script {
	char request[SCRIPT_BYTES];   // the head of the upgrade
	char stream[SCRIPT_BYTES];    // instead of it and subscribe, where subscribers are streams; %u is the number of the channel
	char subscribe[SCRIPT_BYTES]; // one message; %u is the number of the channel
	char ready[64];               // stands in the answer to it, or in the stream
	char connect[SCRIPT_BYTES];   // the same for a line that publishes
	char connected[64];
	char publish[SCRIPT_BYTES];   // what stands before the payload; %u is the number of the channel
	char publish_end[64];         // what stands after it
	char answer[64];              // stands once in the answer to each publication
	char ping[64], pong[64];      // a message that is answered with another, besides RFC 6455's own
	char http[SCRIPT_BYTES];      // the head of a request that publishes; %u is the length of its body
	char http_body[SCRIPT_BYTES]; // what stands before the payload in it; %u is the number of the channel
	char http_body_end[64];
	int sized;                    // the payload's length and CR LF stand between publish and the payload
	int binary;                   // kind of the messages sent
};

// marker stands once in each payload that is published and in nothing else that a server sends to a subscriber.
enum { MARKER = '!' };

extern struct line lines[LINES_MAX];
extern int lines_used;
extern struct script script;
extern int epoll_fd;
extern uint8_t input[READ_BYTES];

// heard is told of messages that came on a line, answers to publications and deliveries. At most one of them.
extern void (*heard)(struct line *l, uint64_t messages, uint64_t answers);

void fail(const char *what);
uint64_t now(void);
void write_all(int fd, const uint8_t *b, size_t n);
size_t put_header(uint8_t *b, size_t bytes, int binary, int masked);
size_t put_message(uint8_t *b, const char *text, size_t bytes);

// open_lines opens n lines, several at a time, on channels first, first+1, … modulo channels, and waits until all are ready.
void open_lines(int port, uint64_t n, uint32_t channels, int publisher, int plain);

// line_read handles what has come.
void line_read(struct line *l);

#endif

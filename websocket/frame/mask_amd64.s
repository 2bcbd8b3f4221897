//go:build !race

#include "textflag.h"

// func xorWords(b []byte, wide uint64)
//
// SSE2 only, which every amd64 processor has: 64 bytes a turn, and words for what is left of them.
TEXT ·xorWords(SB), NOSPLIT, $0-32
	MOVQ  b_base+0(FP), AX
	MOVQ  b_len+8(FP), CX
	MOVQ  wide+24(FP), DX
	ADDQ  AX, CX           // where b ends
	LEAQ  -64(CX), BX      // where the last block may begin
	TESTQ $8, AX           // The payload of a long frame mostly begins eight bytes into a buffer. Blocks that
	JZ    aligned          // lie across two cache lines would cost half as much again.
	XORQ  DX, (AX)
	ADDQ  $8, AX

aligned:
	MOVQ       DX, X0
	PUNPCKLQDQ X0, X0
	CMPQ       AX, BX
	JHI        words

block:
	MOVOU (AX), X1
	MOVOU 16(AX), X2
	MOVOU 32(AX), X3
	MOVOU 48(AX), X4
	PXOR  X0, X1
	PXOR  X0, X2
	PXOR  X0, X3
	PXOR  X0, X4
	MOVOU X1, (AX)
	MOVOU X2, 16(AX)
	MOVOU X3, 32(AX)
	MOVOU X4, 48(AX)
	ADDQ  $64, AX
	CMPQ  AX, BX
	JLS   block

words:
	CMPQ AX, CX
	JCC  done
	XORQ DX, (AX)
	ADDQ $8, AX
	JMP  words

done:
	RET

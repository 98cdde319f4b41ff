/* SPDX-License-Identifier: MIT */
#include "formats/protobuf.h"

void protobuf_varint(struct str *s, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		str_addc(s, (char)(n | 0x80));
	str_addc(s, (char)n);
}

void protobuf_field(struct str *s, unsigned field, uint64_t n)
{
	protobuf_varint(s, field << 3);
	protobuf_varint(s, n);
}

void protobuf_number(struct str *s, unsigned field, uint64_t n)
{
	if (n)
		protobuf_field(s, field, n);
}

void protobuf_bytes(struct str *s, unsigned field, const void *bytes, size_t size)
{
	protobuf_varint(s, field << 3 | 2);
	protobuf_varint(s, size);
	str_addn(s, bytes, size);
}

void protobuf_text(struct str *s, unsigned field, const char *text)
{
	struct str utf8 = STR_INIT;

	str_add_utf8(&utf8, text);
	protobuf_bytes(s, field, utf8.p, utf8.len);
	str_release(&utf8);
}

void protobuf_part(struct str *s, unsigned field, struct str *part)
{
	protobuf_bytes(s, field, part->p, part->len);
	str_clear(part);
}

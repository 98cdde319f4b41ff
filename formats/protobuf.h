/* SPDX-License-Identifier: MIT */
/*
 * protobuf: messages in protobuf's wire form (protobuf.dev, "Encoding"): a field is a tag,
 * number << 3 | wire type, and then a varint (type 0) or a length and bytes (type 2).
 */
#ifndef FORMATS_PROTOBUF_H
#define FORMATS_PROTOBUF_H

#include "base/str.h"

void protobuf_varint(struct str *s, uint64_t n);

/* Written whatever it is. */
void protobuf_field(struct str *s, unsigned field, uint64_t n);
/* Left out when it is zero, which is what a field is that is not there. */
void protobuf_number(struct str *s, unsigned field, uint64_t n);
void protobuf_bytes(struct str *s, unsigned field, const void *bytes, size_t size);

/* As UTF-8, which readers insist on. */
void protobuf_text(struct str *s, unsigned field, const char *text);

/* What has been put together in `part` becomes a field of `s`; part is empty then. */
void protobuf_part(struct str *s, unsigned field, struct str *part);

#endif

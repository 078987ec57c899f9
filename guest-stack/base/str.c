/* str.c - text formatting and parsing, and the mem* functions of a freestanding program. See str.h.
 *
 * A conversion is read into struct spec, its argument is turned into characters in a small local buffer, and
 * emit() pads it. Numbers are taken apart without 64-bit division, which S/390 in 31-bit mode would have to
 * call for.
 */
#include "base/str.h"

struct sink {
    char *at;
    size_t room; /* characters that still fit, the NUL set aside */
    u32 written;
};

struct spec {
    bool left, zero;
    u32 width;
    u32 precision; /* UINT32_MAX = none */
    u8 longs;      /* 0 int, 1 long, 2 long long, 3 size_t */
    char conversion;
};

static void put(struct sink *s, char c) {
    if (s->room == 0) return;
    *s->at++ = c;
    s->room--;
    s->written++;
}

static void emit(struct sink *s, const struct spec *sp, const char *text, u32 len, bool negative) {
    u32 total = len + negative;
    u32 pad = sp->width > total ? sp->width - total : 0;
    if (!sp->left && !sp->zero)
        for (; pad; pad--) put(s, ' ');
    if (negative) put(s, '-');
    if (!sp->left && sp->zero)
        for (; pad; pad--) put(s, '0');
    for (u32 i = 0; i < len; i++) put(s, text[i]);
    for (; pad; pad--) put(s, ' ');
}

/* Divides v by 10 in place, 16 bits at a time; returns the remainder. */
static u32 divide_by_ten(u64 *v) {
    u32 rest = 0;
    u64 quotient = 0;
    for (int shift = 48; shift >= 0; shift -= 16) {
        u32 part = rest << 16 | (u32)(*v >> shift & 0xFFFF);
        quotient = quotient << 16 | part / 10;
        rest = part % 10;
    }
    *v = quotient;
    return rest;
}

#define NUMBER_MAX 20 /* digits of UINT64_MAX */

/* The digits of v at the end of out[NUMBER_MAX]; returns where they begin. */
static u32 digits(u64 v, char conversion, char *out) {
    const char *set = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    u32 at = NUMBER_MAX;
    bool hex = conversion == 'x' || conversion == 'X';
    while (!hex && v > UINT32_MAX) out[--at] = set[divide_by_ten(&v)];
    u32 low = (u32)v;
    if (hex) {
        do {
            out[--at] = set[v & 15];
            v >>= 4;
        } while (v);
    } else {
        do {
            out[--at] = set[low % 10];
            low /= 10;
        } while (low);
    }
    return at;
}

/* va_list goes by address through a struct, because where it is an array its address would change type. */
struct args {
    va_list ap;
};

static u64 take_unsigned(struct args *a, const struct spec *sp) {
    switch (sp->longs) {
    case 0: return va_arg(a->ap, unsigned);
    case 1: return va_arg(a->ap, unsigned long);
    case 2: return va_arg(a->ap, unsigned long long);
    default: return va_arg(a->ap, size_t);
    }
}

static i64 take_signed(struct args *a, const struct spec *sp) {
    switch (sp->longs) {
    case 0: return va_arg(a->ap, int);
    case 1: return va_arg(a->ap, long);
    case 2: return va_arg(a->ap, long long);
    default: return (i64)va_arg(a->ap, size_t);
    }
}

static const char *read_number(const char *f, struct args *a, u32 *out) {
    if (*f == '*') {
        int v = va_arg(a->ap, int);
        CHECK(v >= 0);
        *out = (u32)v;
        return f + 1;
    }
    for (*out = 0; *f >= '0' && *f <= '9'; f++) *out = *out * 10 + (u32)(*f - '0');
    return f;
}

/* Reads what stands between '%' and the conversion letter, and the letter. */
static const char *read_spec(const char *f, struct args *a, struct spec *sp) {
    *sp = (struct spec){.precision = UINT32_MAX};
    for (; *f == '-' || *f == '0'; f++) {
        if (*f == '-')
            sp->left = true;
        else
            sp->zero = true;
    }
    f = read_number(f, a, &sp->width);
    if (*f == '.') f = read_number(f + 1, a, &sp->precision);
    if (*f == 'z') {
        sp->longs = 3;
        f++;
    }
    while (*f == 'l') {
        sp->longs++;
        f++;
    }
    CHECK(sp->longs <= 3 && *f);
    sp->conversion = *f;
    return f + 1;
}

static void convert_text(struct sink *s, const struct spec *sp, const char *text) {
    u32 len = 0;
    if (!text) text = "(null)";
    while (len < sp->precision && text[len]) len++;
    emit(s, sp, text, len, false);
}

static void convert(struct sink *s, struct spec *sp, struct args *a) {
    char number[NUMBER_MAX];
    u64 v;
    u32 from;
    bool negative = false;

    switch (sp->conversion) {
    case '%': put(s, '%'); return;
    case 'c':
        number[0] = (char)va_arg(a->ap, int);
        emit(s, sp, number, 1, false);
        return;
    case 's': convert_text(s, sp, va_arg(a->ap, const char *)); return;
    case 'd': {
        i64 i = take_signed(a, sp);
        negative = i < 0;
        v = negative ? 0 - (u64)i : (u64)i;
        break;
    }
    case 'p':
        /* As dumps print addresses: all digits of the machine's pointer. */
        sp->conversion = 'X';
        sp->zero = true;
        sp->width = 2 * sizeof(void *);
        v = (uintptr_t)va_arg(a->ap, void *);
        break;
    default:
        CHECK(sp->conversion == 'u' || sp->conversion == 'x' || sp->conversion == 'X');
        v = take_unsigned(a, sp);
    }
    from = digits(v, sp->conversion, number);
    emit(s, sp, number + from, NUMBER_MAX - from, negative);
}

u32 str_vfmt(char *out, size_t cap, const char *fmt, va_list ap) {
    struct sink s = {.at = out, .room = cap ? cap - 1 : 0};
    struct spec sp;
    struct args a;

    va_copy(a.ap, ap);
    while (*fmt) {
        if (*fmt != '%') {
            put(&s, *fmt++);
            continue;
        }
        fmt = read_spec(fmt + 1, &a, &sp);
        convert(&s, &sp, &a);
    }
    va_end(a.ap);
    if (cap) *s.at = 0;
    return s.written;
}

u32 str_fmt(char *out, size_t cap, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    u32 n = str_vfmt(out, cap, fmt, ap);
    va_end(ap);
    return n;
}

bool str_u32(const char *s, size_t len, u32 *out) {
    u32 v = 0;
    if (len == 0) return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        u32 digit = (u32)(s[i] - '0');
        if (v > UINT32_MAX / 10 || v * 10 > UINT32_MAX - digit) return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool str_hex_u32(const char *s, size_t len, u32 *out) {
    u32 v = 0;
    if (len == 0 || len > 8) return false;
    for (size_t i = 0; i < len; i++) {
        int digit = hex_digit(s[i]);
        if (digit < 0) return false;
        v = v << 4 | (u32)digit;
    }
    *out = v;
    return true;
}

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool str_eq_ci(const char *a, const char *b) {
    while (*a && upper(*a) == upper(*b)) {
        a++;
        b++;
    }
    return upper(*a) == upper(*b);
}

u32 str_copy(char *out, size_t cap, const char *in) {
    u32 n = 0;
    CHECK(cap > 0);
    while (n + 1 < cap && in[n]) {
        out[n] = in[n];
        n++;
    }
    out[n] = 0;
    return n;
}

#if !__STDC_HOSTED__
/* Correct everywhere and slow; weak, so that arch/s390 puts its instructions in their place. The compiler
 * must not see "this is memcpy" in them and call themselves: each byte passes through a barrier. */
#define WEAK      __attribute__((weak))
#define BARRIER() __asm__ volatile("" ::: "memory")

WEAK void *(memcpy)(void *restrict to, const void *restrict from, size_t n) {
    u8 *t = to;
    const u8 *f = from;
    for (; n; n--) {
        *t++ = *f++;
        BARRIER();
    }
    return to;
}

WEAK void *memmove(void *to, const void *from, size_t n) {
    u8 *t = to;
    const u8 *f = from;
    if ((uintptr_t)t - (uintptr_t)f >= n) return memcpy(to, from, n);
    while (n--) {
        t[n] = f[n];
        BARRIER();
    }
    return to;
}

WEAK void *(memset)(void *to, int byte, size_t n) {
    u8 *t = to;
    for (; n; n--) {
        *t++ = (u8)byte;
        BARRIER();
    }
    return to;
}

WEAK int (memcmp)(const void *a, const void *b, size_t n) {
    const u8 *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}

WEAK size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n]) {
        n++;
        BARRIER();
    }
    return n;
}

WEAK int strcmp(const char *a, const char *b) {
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (u8)*a - (u8)*b;
}
#endif

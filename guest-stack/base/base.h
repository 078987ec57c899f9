/* base.h - the words every room speaks: widths, checks, small helpers. Freestanding C11.
 *
 * Errors are of three kinds and never mixed (docs/STYLE.md):
 *   PEER      a packet, command or file is wrong    -> count by cause, drop or answer; never CHECK
 *   RESOURCE  a limit is reached                    -> return an error, count
 *   BUG       our own invariant is broken           -> CHECK: stop with file, line and the condition
 *
 * Touches nothing. base_bug() is supplied by whoever links the code: the guest's nucleus (a registered
 * disabled wait), a host program (abort), a fuzzer (trap).
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

_Noreturn void base_bug(const char *file, int line, const char *condition);

#define CHECK(cond) ((cond) ? (void)0 : base_bug(__FILE__, __LINE__, #cond))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, member) ((type *)(void *)((u8 *)(p)-offsetof(type, member)))
#define UNUSED(x) ((void)(x))

static inline u32 u32_min(u32 a, u32 b) { return a < b ? a : b; }
static inline u32 u32_max(u32 a, u32 b) { return a > b ? a : b; }
static inline u64 u64_min(u64 a, u64 b) { return a < b ? a : b; }
static inline u64 u64_max(u64 a, u64 b) { return a > b ? a : b; }

/* Time is an argument: microseconds since some fixed moment, never going back. */
#define USEC_PER_MSEC 1000u
#define USEC_PER_SEC 1000000u
#define TIME_NEVER UINT64_MAX

/* Error numbers: what OS/390's errno calls them, returned as negative numbers. 0 or a count is success. */
enum err {
    ERR_INVAL = 22,        /* EINVAL: argument outside its domain */
    ERR_NOMEM = 12,        /* ENOMEM: a pool or table is full */
    ERR_AGAIN = 11,        /* EAGAIN/EWOULDBLOCK: nothing now, an event will follow */
    ERR_ACCES = 13,        /* EACCES: port reserved for someone else */
    ERR_NOENT = 2,         /* ENOENT: no such thing */
    ERR_EXIST = 17,        /* EEXIST */
    ERR_IO = 5,            /* EIO: device error */
    ERR_BUSY = 16,         /* EBUSY */
    ERR_NOSYS = 38,        /* operation not supported by this kind of thing */
    ERR_MSGSIZE = 90,      /* EMSGSIZE */
    ERR_ADDRINUSE = 98,    /* EADDRINUSE */
    ERR_ADDRNOTAVAIL = 99, /* EADDRNOTAVAIL */
    ERR_NETDOWN = 100,     /* ENETDOWN */
    ERR_NETUNREACH = 101,  /* ENETUNREACH */
    ERR_CONNABORTED = 103, /* ECONNABORTED */
    ERR_CONNRESET = 104,   /* ECONNRESET */
    ERR_NOBUFS = 105,      /* ENOBUFS */
    ERR_ISCONN = 106,      /* EISCONN */
    ERR_NOTCONN = 107,     /* ENOTCONN */
    ERR_PIPE = 32,         /* EPIPE: sending side is shut */
    ERR_TIMEDOUT = 110,    /* ETIMEDOUT */
    ERR_CONNREFUSED = 111, /* ECONNREFUSED */
    ERR_HOSTUNREACH = 113, /* EHOSTUNREACH */
    ERR_ALREADY = 114,     /* EALREADY */
    ERR_INPROGRESS = 115,  /* EINPROGRESS */
};

#endif

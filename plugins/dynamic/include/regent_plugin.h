/*
 * Regent's plugins as shared libraries: the ABI, version 1.1.
 *
 * A library exports one function, regent_plugin_library, which gives a table of the plugins in it. The agent loads libraries when
 * it starts and never unloads them. docs/plugins/abi.md says what is promised between versions; docs/plugins/ has
 * tutorials. This file needs no other one than the standard headers below, and stands under the Apache License, 2.0.
 *
 * Who owns what
 *   Nobody ever hands over memory. Bytes that a function is given (regent_bytes) are borrowed: they are there until it
 *   returns. What it answers it writes into a regent_writer that its caller lends it, which copies. A writer, too, is
 *   there until the function returns. Tables, and the names in them, stay where they are for as long as the process lives.
 *
 * Messages
 *   Bytes are JSON in UTF-8 where this file does not say otherwise. A function that returns anything but REGENT_OK has
 *   written a text for people, without secrets: it is logged, and shown in status.
 *
 * Threads
 *   The agent calls plugins from threads that it keeps for them, so they may block. A call that takes longer than the
 *   configured time counts as failed; the agent goes on without it, and reports the plugin as ERROR until the call returns
 *   after all. Calls of one sink come one after the other. Those of others come many at once, from different threads.
 *   The functions of a host may be called from any thread, at any time after `create` was called, also after `destroy`:
 *   they then answer REGENT_UNAVAILABLE.
 *
 * Exceptions
 *   must not leave a function of a plugin. In C++, use regent_guard (below).
 */
#ifndef REGENT_PLUGIN_H
#define REGENT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REGENT_ABI_MAJOR 1u
#define REGENT_ABI_MINOR 1u

/* The first field of a library: "RGNT". */
#define REGENT_MAGIC 0x544e4752u

#if defined(_WIN32)
#define REGENT_EXPORT __declspec(dllexport)
#else
#define REGENT_EXPORT __attribute__((visibility("default")))
#endif

/* Bytes that belong to somebody else. `data` may be null if `len` is 0. */
typedef struct regent_bytes {
  const uint8_t *data;
  size_t len;
} regent_bytes;

/* The bytes of a string literal, for tables. */
#define REGENT_TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

/* Where a function writes its answer, in as many pieces as it likes. `write` copies, and returns 0; or something else when
 * the answer is larger than it may be, after which writing more is no use. */
typedef struct regent_writer {
  void *context;
  int32_t (*write)(void *context, const uint8_t *data, size_t len);
} regent_writer;

/* How a call went. */
typedef int32_t regent_status;
enum {
  REGENT_OK = 0,
  REGENT_UNAVAILABLE = 1, /* trying again later may help */
  REGENT_REFUSED = 2,     /* trying the same again will not help */
  REGENT_CONFIG = 3,      /* the configuration has to change */
  REGENT_OPERAND = 4,     /* a function of Rego was given an operand that it cannot take */
  REGENT_FAILED = 5       /* anything else */
};

/* Levels of log lines. */
enum { REGENT_DEBUG = 0, REGENT_INFO = 1, REGENT_WARN = 2, REGENT_ERROR = 3 };

/* States of plugins. */
enum { REGENT_STATE_NOT_READY = 0, REGENT_STATE_OK = 1, REGENT_STATE_WARN = 2, REGENT_STATE_ERROR = 3 };

/* What `next` returns. */
enum {
  REGENT_SIGNAL_NONE = 0,      /* the time is over */
  REGENT_SIGNAL_STOP = 1,      /* finish and return from `run`; `message` is {"within_ms": N} */
  REGENT_SIGNAL_TRIGGER = 2,   /* do now what is otherwise done from time to time, then call `answer` */
  REGENT_SIGNAL_CONFIGURE = 3  /* `message` is the new configuration; take it, then call `answer`. Only with REGENT_LIVE */
};

/*
 * What an instance of a plugin may ask of the agent. Each function is given the host itself. The table may be longer than
 * this one: `size` tells. There is one for each instance, and it stays.
 */
typedef struct regent_host regent_host;
struct regent_host {
  size_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  void *context;
  /* A line in the agent's log; `message` is text. */
  void (*log)(const regent_host *host, int32_t level, regent_bytes message);
  /* The plugin's own state, for health and status; `message` is text for people, or empty. */
  void (*report)(const regent_host *host, int32_t state, regent_bytes message);
  /* Adds to a counter, or sets a gauge, of the agent's metrics. `name` is text: small letters, digits and _, of which
   * regent_plugin_NAME{plugin="..."} is made. An instance may have 64 of them. */
  regent_status (*count)(const regent_host *host, regent_bytes name, uint64_t add);
  regent_status (*gauge)(const regent_host *host, regent_bytes name, double value);
  /* The document of base data at a path such as "users/alice"; nothing is written if there is none. */
  regent_status (*read)(const regent_host *host, regent_bytes path, const regent_writer *answer);
  /* Puts a document at a path that lies within the library's `write_paths`. Nothing for `document` removes what is there. Not
   * from an inline function of Rego. */
  regent_status (*write)(const regent_host *host, regent_bytes path, regent_bytes document, const regent_writer *error);
  /* Waits at most so many milliseconds for a signal: REGENT_SIGNAL_*. Only in `run` of a managed plugin. */
  int32_t (*next)(const regent_host *host, uint64_t wait_ms, const regent_writer *message);
  /* Says what became of the last signal. Only in `run` of a managed plugin. */
  void (*answer)(const regent_host *host, regent_status status, regent_bytes message);

  /* Since 1.1 */

  /* Asks for the document at a path such as "authz/allow", rules included; without an input if `input` is empty. Nothing is
   * written if it is undefined. The decision is not logged. Not from a function of Rego. */
  regent_status (*decide)(const regent_host *host, regent_bytes path, regent_bytes input, const regent_writer *answer);
};

/*
 * A plugin
 */

/* What `kind` is, and with it the type of `functions`. */
enum {
  REGENT_KIND_BUILTIN = 1,    /* regent_builtin: a function that policies call */
  REGENT_KIND_SINK = 2,       /* regent_sink: takes the records of decisions */
  REGENT_KIND_FETCHER = 3,    /* regent_fetcher: gets data that updates speak of */
  REGENT_KIND_VERIFIER = 4,   /* regent_verifier: tells whether a signed bundle may be believed */
  REGENT_KIND_SIGNER = 5,     /* regent_signer: signs bundles */
  REGENT_KIND_CREDENTIAL = 6, /* regent_credential: proves to services who the agent is */
  REGENT_KIND_MANAGED = 7     /* regent_managed: anything with a life */
};

/* Flags of a plugin. */
enum {
  /* A function of Rego that only calculates: it is called on the thread of the evaluation, which costs less, and nobody
   * watches how long it takes. It must not call `read`, `write` or anything else that waits. */
  REGENT_INLINE = 1,
  /* A managed plugin that takes a changed configuration as a signal; others are made anew. */
  REGENT_LIVE = 2
};

typedef struct regent_plugin {
  size_t size;
  uint32_t kind;
  uint32_t flags;
  /* Its name, as text: letters, digits, `_`, `-` and `.`, at most 128 of them. No two plugins of a kind have the same one.
   *   function    its name in policies, "acme.domain"
   *   sink        `decision_logs.plugin: NAME`, configured at `plugins.NAME`
   *   fetcher     `config.fetcher` of an update's entry, configured at `data_updates.fetchers.NAME`
   *   verifier, signer   `plugin` in .signatures.json, `signing.plugin`, `--signing-plugin`
   *   credential  `services.*.credentials.NAME`, or `credentials.plugin: NAME` and `plugins.NAME`
   *   managed     `plugins.NAME` */
  regent_bytes name;
  /* Writes a description, an object. May be null but for a function of Rego. All may have:
   *   "description": a sentence
   * a function of Rego:
   *   "declaration": "acme.domain(address: string) => domain: string" (required), "categories": ["acme"],
   *   "nondeterministic": whether the same operands may give different results
   * a sink, how many events it would like at once:
   *   "batch": {"events": 256, "bytes": 4194304, "wait_ms": 0}
   * a fetcher:
   *   "aliases": other names that entries may have for it */
  regent_status (*describe)(const regent_writer *description);
  /* Tells what is wrong with a configuration, without any effect. It is fine if nothing is written; otherwise a list:
   *   [{"key": "limits.max", "message": "is below `min`"}]
   * May be null. */
  regent_status (*check)(regent_bytes config, const regent_writer *errors);
  /* Makes an instance; claims no port, file or thread. A configuration that is not there is {}. May be null: `instance` is
   * then null in all calls. Functions of Rego, verifiers and signers are made when the library is loaded, where the host
   * can only log. */
  regent_status (*create)(const regent_host *host, regent_bytes config, void **instance, const regent_writer *error);
  /* Ends an instance, after all its calls have returned. May be null. */
  void (*destroy)(void *instance);
  /* The functions of its kind. */
  const void *functions;
} regent_plugin;

typedef struct regent_builtin {
  size_t size;
  /* `operands` is an array; sets in it are arrays, and keys that are no strings are their JSON. The answer is the result;
   * the call is undefined if nothing is written. REGENT_OPERAND and REGENT_FAILED make the call undefined too, or end the
   * query where errors of built-in functions are strict. */
  regent_status (*call)(void *instance, regent_bytes operands, const regent_writer *answer);
} regent_builtin;

typedef struct regent_sink {
  size_t size;
  /* Takes events in order, each an object in one line. After REGENT_UNAVAILABLE the same events are offered again; any
   * other error drops them, which is counted. REGENT_REFUSED with {"refused": 3, "why": "..."} as its text drops so many,
   * and the sink has taken the others. An event may come again. */
  regent_status (*write)(void *instance, const regent_bytes *events, size_t count, const regent_writer *error);
  /* Finishes what it has begun; once, at the end. May be null. */
  regent_status (*close)(void *instance, const regent_writer *error);
} regent_sink;

typedef struct regent_fetcher {
  size_t size;
  /* The data as JSON. `request` is {"url": "...", "config": {...}, "timeout_ms": N, "max_bytes": N}. */
  regent_status (*fetch)(void *instance, regent_bytes request, const regent_writer *answer);
} regent_fetcher;

typedef struct regent_verifier {
  size_t size;
  /* The files that the signatures list, if they may be believed: [{"name": "a/data.json", "hash": "0f...", "algorithm":
   * "SHA-256"}]. `request` is
   *   {"signatures": ["..."], "keys": {"ID": {"key": "...", "algorithm": "RS256", "scope": "..."}}, "key_id": "...",
   *    "scope": "..."} */
  regent_status (*verify)(void *instance, regent_bytes request, const regent_writer *answer);
} regent_verifier;

typedef struct regent_signer {
  size_t size;
  /* The signature, a string. `request` is {"files": [...], "key": "...", "algorithm": "...", "key_id": "...",
   * "claims": {...} or null}, with files as a verifier gives them. */
  regent_status (*sign)(void *instance, regent_bytes request, const regent_writer *answer);
} regent_signer;

typedef struct regent_credential {
  size_t size;
  /* Headers that prove it: {"authorization": "..."}. `request` is {"method": "POST", "url": "...", "headers":
   * [["name", "value"]]}, `body` the bytes of its body. */
  regent_status (*prepare)(void *instance, regent_bytes request, regent_bytes body, const regent_writer *answer);
  /* The service answered 401 to a request with these headers, [["name", "value"]]: what they prove is not to be used again.
   * May be null. */
  void (*refused)(void *instance, regent_bytes headers);

  /* Since 1.1 */

  /* Certificate and key for the TLS handshake, in PEM: {"certificates": "...", "private_key": "..."}; nothing is written if
   * there are none. May be null. */
  regent_status (*identity)(void *instance, const regent_writer *answer);
} regent_credential;

typedef struct regent_managed {
  size_t size;
  /* Its life, on a thread of its own: works, asks `next` of its host for signals, and returns when told to stop. */
  regent_status (*run)(void *instance, const regent_writer *error);
} regent_managed;

/*
 * A library
 */

typedef struct regent_library {
  uint32_t magic;     /* REGENT_MAGIC */
  uint32_t abi_major; /* REGENT_ABI_MAJOR */
  uint32_t abi_minor; /* REGENT_ABI_MINOR */
  uint32_t reserved;  /* 0 */
  size_t size;        /* sizeof(regent_library) */
  regent_bytes name;    /* text, as the name of a plugin */
  regent_bytes version; /* text */
  const regent_plugin *const *plugins;
  size_t plugin_count; /* at most 256 */
} regent_library;

/* What a library exports. Returns at once, and the same table each time. */
REGENT_EXPORT const regent_library *regent_plugin_library(void);

/*
 * Small helps
 */

static inline int32_t regent_write(const regent_writer *writer, const char *text) {
  return writer->write(writer->context, (const uint8_t *)text, strlen(text));
}

static inline regent_bytes regent_text(const char *text) {
  regent_bytes bytes = { (const uint8_t *)text, strlen(text) };
  return bytes;
}

#ifdef __cplusplus
} /* extern "C" */

#include <exception>

/* Runs the body of a function of a plugin; an exception becomes REGENT_FAILED with its text. */
template <class Body>
regent_status regent_guard(const regent_writer *writer, Body body) noexcept {
  try {
    return body();
  } catch (const std::exception &error) {
    regent_write(writer, error.what());
  } catch (...) {
    regent_write(writer, "an exception that tells nothing");
  }
  return REGENT_FAILED;
}
#endif

#endif

/*
 * A function for policies, in C: acme.domain("ann@example.com") is "example.com".
 *
 *   cc -shared -fPIC -I INCLUDE -o libacme_domain.so domain.c
 *   regent eval --plugin-dir . 'acme.domain("ann@example.com")'
 */
#include "regent_plugin.h"

static regent_status describe(const regent_writer *out) {
  regent_write(out,
               "{\"declaration\": \"acme.domain(address: string) => domain: string\","
               " \"description\": \"The part of an address of mail behind the @.\","
               " \"categories\": [\"acme\"]}");
  return REGENT_OK;
}

/* `operands` is an array of one string: the declaration says so, but a value that policies got from elsewhere may be
 * anything. The domain lies between the @ and the closing quote, and is JSON already. */
static regent_status call(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  if (operands.len < 4 || operands.data[1] != '"') {
    regent_write(answer, "operand 1 must be a string");
    return REGENT_OPERAND;
  }
  const uint8_t *at = memchr(operands.data, '@', operands.len);
  if (at == NULL) {
    return REGENT_OK; /* nothing written: undefined */
  }
  const uint8_t *end = operands.data + operands.len - 1; /* the closing bracket */
  answer->write(answer->context, (const uint8_t *)"\"", 1);
  answer->write(answer->context, at + 1, (size_t)(end - at - 1));
  return REGENT_OK;
}

static const regent_builtin functions = { sizeof functions, call };

static const regent_plugin domain = {
  .size = sizeof domain,
  .kind = REGENT_KIND_BUILTIN,
  .flags = REGENT_INLINE, /* it only calculates */
  .name = REGENT_TEXT("acme.domain"),
  .describe = describe,
  .functions = &functions,
};

static const regent_plugin *const plugins[] = { &domain };

static const regent_library library = {
  .magic = REGENT_MAGIC,
  .abi_major = REGENT_ABI_MAJOR,
  .abi_minor = REGENT_ABI_MINOR,
  .size = sizeof library,
  .name = REGENT_TEXT("acme-domain"),
  .version = REGENT_TEXT("1.0.0"),
  .plugins = plugins,
  .plugin_count = 1,
};

const regent_library *regent_plugin_library(void) { return &library; }

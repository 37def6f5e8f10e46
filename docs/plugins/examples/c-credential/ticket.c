/*
 * A credential, in C: sends what is in a file as a header of each request to a service.
 *
 *   cc -shared -fPIC -I INCLUDE -o libacme_ticket.so ticket.c
 *
 *   services: {acme: {url: "https://acme.example.com", credentials: {acme_ticket: {}}}}
 *
 * The file is named by ACME_TICKET_FILE, and read for each request: whoever renews the ticket need not tell the agent.
 */
#include <stdio.h>
#include <stdlib.h>

#include "regent_plugin.h"

static regent_status prepare(void *instance, regent_bytes request, regent_bytes body, const regent_writer *answer) {
  (void)instance;
  (void)request;
  (void)body;
  const char *path = getenv("ACME_TICKET_FILE");
  FILE *file = path == NULL ? NULL : fopen(path, "r");
  if (file == NULL) {
    regent_write(answer, "the file of the ticket cannot be read");
    return REGENT_UNAVAILABLE;
  }
  char ticket[256];
  size_t len = fread(ticket, 1, sizeof ticket, file);
  fclose(file);
  while (len > 0 && (ticket[len - 1] == '\n' || ticket[len - 1] == '\r')) len--;
  for (size_t i = 0; i < len; i++) {
    /* Nothing that would need an escape in JSON. */
    if (ticket[i] <= ' ' || ticket[i] == '"' || ticket[i] == '\\' || ticket[i] == 0x7f) {
      regent_write(answer, "the ticket is none");
      return REGENT_REFUSED;
    }
  }
  regent_write(answer, "{\"authorization\": \"Ticket ");
  answer->write(answer->context, (const uint8_t *)ticket, len);
  regent_write(answer, "\"}");
  return REGENT_OK;
}

static const regent_credential functions = { .size = sizeof functions, .prepare = prepare };

static const regent_plugin ticket = {
  .size = sizeof ticket,
  .kind = REGENT_KIND_CREDENTIAL,
  .name = REGENT_TEXT("acme_ticket"),
  .functions = &functions,
};

static const regent_plugin *const plugins[] = { &ticket };

static const regent_library library = {
  .magic = REGENT_MAGIC,
  .abi_major = REGENT_ABI_MAJOR,
  .abi_minor = REGENT_ABI_MINOR,
  .size = sizeof library,
  .name = REGENT_TEXT("acme-ticket"),
  .version = REGENT_TEXT("1.0.0"),
  .plugins = plugins,
  .plugin_count = 1,
};

const regent_library *regent_plugin_library(void) { return &library; }

"""Workflows that put secrets wherever a document can, and where none belongs; what else they need is in the test."""

USES = """
workflow: uses
inputs: {type: object, properties: {url: {type: string}}}
permissions: [http.request]
steps:
  echo:
    uses: mock.echo
    with: {value: {whole: "${{ secrets.of_environment }}", joined: "Bearer ${{ secrets.of_file }}"}}
  number: {uses: lua.script, with: {script: "return tonumber(input)", input: "${{ secrets.of_number }}"}}
  chained: {uses: mock.echo, needs: echo, with: {value: "${{ steps.echo.output }}"}}
  fails:
    uses: mock.fail
    on_error: continue
    retry: {max_attempts: 2, initial_interval: 10ms}
    with:
      message: "denied ${{ secrets.of_folder }}"
      code: "${{ secrets.of_file }}"
      details: {at: ["${{ secrets.of_store }}"]}
  raises: {uses: mock.raise, on_error: continue, with: {message: "bug ${{ secrets.of_systemd }}"}}
  logs: {uses: log.write, with: {message: "using ${{ secrets.of_store }}", fields: {k: "${{ secrets.of_file }}"}}}
  http:
    uses: http.request
    with:
      url: "${{ input.url }}/echo"
      method: POST
      query: {q: "${{ secrets.of_file }}"}
      headers: {x-api-key: "${{ secrets.of_number }}"}
      auth: {type: basic, username: me, password: "${{ secrets.of_environment }}"}
      json: {deep: ["${{ secrets.of_store }}"]}
  refused:
    uses: http.request
    on_error: continue
    with: {url: "${{ input.url }}/refuse", method: POST, body: "${{ secrets.of_folder }}"}
  badurl: {uses: http.request, on_error: continue, with: {url: "http://${{ secrets.of_systemd }}/"}}
  badtype: {uses: http.request, on_error: continue, with: {url: "${{ input.url }}", timeout: "${{ secrets.of_file }}"}}
  lua:
    uses: lua.script
    with:
      input: {s: "${{ secrets.of_folder }}"}
      script: "log.info(input.s); log.warn(input.s .. '!'); return {input.s, string.upper('x')}"
  luafails: {uses: lua.script, on_error: continue, with: {input: "${{ secrets.of_store }}", script: "error(input)"}}
  keeps: {uses: kv.put, with: {key: kept, value: {v: "${{ secrets.of_store }}"}}}
  keyed: {uses: kv.put, on_error: continue, with: {key: "${{ secrets.of_number }}", value: 1}}
  tells: {uses: event.publish, with: {topic: told, data: "${{ secrets.of_systemd }}"}}
  filed:
    uses: file.write
    on_error: continue
    with: {path: "/nowhere/${{ secrets.of_store }}", text: "${{ secrets.of_file }}"}
  mails:
    uses: email.send
    on_error: continue
    with:
      from: a@example.org
      to: [b@example.org]
      subject: s
      text: "${{ secrets.of_file }}"
      server: {host: "${{ secrets.of_number }}.invalid"}
  spills:
    uses: leaky.spill
    with: {secret: "${{ secrets.of_environment }}", names: [of_file, of_folder, of_systemd, of_store]}
  spillsbad:
    uses: leaky.spill
    on_error: continue
    retry: {max_attempts: 2, initial_interval: 10ms}
    with: {secret: "${{ secrets.of_store }}", names: [of_file, of_number], end: fail}
  spillsraise:
    uses: leaky.spill
    on_error: continue
    with: {secret: "${{ secrets.of_systemd }}", names: [of_store], end: raise}
  missing: {uses: mock.echo, on_error: continue, with: {value: "${{ secrets.of_nobody }}"}}
  last:
    uses: mock.fail
    needs: [http, spills]
    with: {message: "the end of ${{ secrets.of_environment }}", retryable: false}
handlers:
  failure: {uses: log.write, with: {message: "${{ failure.message }} ${{ secrets.of_store }}"}}
"""
TRIGGERS = """
workflow: told
inputs: {type: object, properties: {n: {type: integer}}, required: [n]}
triggers:
  emits:
    uses: mock.emit
    with: {data: {key: "${{ secrets.of_store }}"}, prefix: "x${{ secrets.of_number }}", then: raise}
    input: {n: 1, got: "${{ event.data.key }}", id: "${{ event.id }}"}
  dead:
    uses: mock.emit
    with: {data: "${{ secrets.of_file }}", prefix: "d${{ secrets.of_number }}", then: permanent}
    input: {n: "${{ event.data }}"}
  tells:
    uses: leaky.tell
    with: {secret: "${{ secrets.of_environment }}", name: of_systemd}
    input: {n: 2, all: "${{ event }}"}
  wrong: {uses: cron.every, with: {period: "${{ secrets.of_file }}"}}
  hook:
    uses: http.webhook
    with: {path: hook, signature: {type: hmac, secret: "${{ secrets.of_hooks }}"}}
    input: {n: 3, body: "${{ event.data }}"}
steps:
  a: {uses: mock.echo, with: {value: "${{ input }}"}}
"""
OUTLIVES = """
workflow: outlives
steps:
  a: {uses: mock.sleep, with: {duration: 4s, value: "${{ secrets.of_store }}"}}
  b:
    uses: leaky.spill
    with: {secret: "${{ secrets.of_file }}", names: [of_systemd, of_environment], end: late}
"""

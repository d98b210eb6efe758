// A hostd plugin in JavaScript: an action and a trigger, speaking host.proto directly.
// docs/how-to/plugin-in-another-language.md walks through every frame.
"use strict";

const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const definition = loader.loadSync(path.join(__dirname, "host.proto"), {
  keepCase: true, longs: Number, defaults: true, oneofs: true,
});
const { Host } = grpc.loadPackageDefinition(definition).hostd.plugin.v1;

const json = (value) => Buffer.from(JSON.stringify(value));
const parsed = (bytes) => (bytes && bytes.length ? JSON.parse(bytes.toString("utf8")) : null);

// -- what this plugin does

const COMPONENTS = [
  {
    kind: "action", id: "words.reverse", description: "Turns a text around.", since: "1.0", stability: "stable",
    effects: "none", sample: json({ text: "hello" }),
    codes: [{ code: "EMPTY", meaning: "There is no text to turn around. Give one in `text`." }],
    options_schema: json({
      type: "object", required: ["text"], additionalProperties: false,
      properties: {
        text: { type: "string", description: "What is turned around.", maxLength: 10000, examples: ["hello"] },
        after_ms: { type: "integer", description: "Time to think.", minimum: 0, maximum: 60000, default: 0 },
      },
    }),
  },
  {
    kind: "trigger", id: "words.ticks", description: "Emits numbers, each once.", since: "1.0", stability: "stable",
    instances: "ONE", sample: json({ every_ms: 1000 }),
    options_schema: json({
      type: "object", required: ["every_ms"], additionalProperties: false,
      properties: {
        every_ms: { type: "integer", description: "Time between two.", minimum: 10, examples: [1000] },
        count: { type: "integer", description: "How many; 0 for no end.", minimum: 0, default: 0 },
      },
    }),
  },
];

class ActionFailure extends Error {
  constructor(message, { code = "", retryable = false, details = {} } = {}) {
    super(message);
    Object.assign(this, { code, retryable, details });
  }
}

async function reverse(options, attempt) {
  if (!options.text) throw new ActionFailure("there is nothing to turn around", { code: "EMPTY", details: { at: 0 } });
  attempt.log("info", "thinking", { ms: options.after_ms || 0 });
  attempt.heartbeat({ begun: true });
  await attempt.sleep(options.after_ms || 0);
  const counted = await attempt.host("kv.add", { key: "words", amount: 1 });
  return { text: [...options.text].reverse().join(""), count: counted.entry.value, pid: process.pid };
}

async function ticks(options, trigger) {
  let n = trigger.cursor || 0; // goes on behind what was durable
  while (!options.count || n < options.count) {
    await trigger.sleep(options.every_ms);
    n += 1;
    await trigger.emit([{ id: `tick-${n}`, data: { n } }], n);
  }
}

const ACTIONS = { "words.reverse": reverse };
const TRIGGERS = { "words.ticks": ticks };

// -- the protocol

const env = process.env;
const client = new Host(env.HOSTD_PLUGIN_ADDRESS, grpc.credentials.createInsecure(), {
  "grpc.max_receive_message_length": 20 * 1024 * 1024,
  "grpc.initial_reconnect_backoff_ms": 200, "grpc.max_reconnect_backoff_ms": 1000, // else it rests up to two minutes
});
const attempts = new Map(); // by run, step and attempt: those that run, and outcomes that are not durable yet
const triggers = new Map(); // by instance
const asked = new Map(); // questions of ours that wait for an answer
let stream = null;
let welcomed = false;
let waiting = []; // who wants to ask a host while there is none
let takesBegun = false; // whether the host wants to hear that a trigger has begun
let draining = false;
let calls = 0;
let hostGone = false;

const keyOf = (id) => `${id.run_id}/${id.step}/${id.attempt}/${id.epoch}`;
const send = (frame) => welcomed && stream.write(frame);

function ask(frame) {
  return new Promise((resolve, reject) => {
    const call = ++calls;
    asked.set(call, { resolve, reject });
    if (!send({ ...frame, call }) && !welcomed) reject(new Error("the host is gone"));
  });
}

// What is asked of the host while it is gone is asked of the next one; an answer that was on its way is lost.
async function askAny(frame) {
  while (!welcomed) await new Promise((resolve) => waiting.push(resolve));
  return ask(frame);
}

class Canceled extends Error {}

// Waits that a cancel, a stop or a drain interrupts.
function interruptible() {
  let interrupt;
  const stopped = new Promise((_, reject) => (interrupt = () => reject(new Canceled("canceled"))));
  stopped.catch(() => {});
  const sleep = (ms) => Promise.race([new Promise((resolve) => setTimeout(resolve, ms)), stopped]);
  return { interrupt, sleep };
}

async function runAttempt(start) {
  const key = keyOf(start.id);
  const held = attempts.get(key);
  if (held) return held.outcome && send({ outcome: held.outcome }); // asked again: it runs, or is answered again
  const { interrupt, sleep } = interruptible();
  const entry = { id: start.id, interrupt, outcome: null };
  attempts.set(key, entry);
  const attempt = {
    sleep,
    progress: parsed(start.progress),
    log: (level, message, fields) =>
      send({ log: { attempt: start.id, lines: [{ level, message, fields: json(fields || {}), at_ms: Date.now() }] } }),
    heartbeat: (progress) => send({ heartbeat: { id: start.id, progress: json(progress) } }),
    host: async (method, args) =>
      parsed((await askAny({ host_call: { attempt: start.id, method, arguments: json(args) } })).result),
  };
  entry.outcome = { id: start.id, ...(await outcomeOf(ACTIONS[start.action], parsed(start.options) || {}, attempt)) };
  send({ outcome: entry.outcome });
}

async function outcomeOf(action, options, attempt) {
  try {
    return { output: json((await action(options, attempt)) ?? null) };
  } catch (error) {
    if (error instanceof Canceled) return { canceled: true };
    if (error instanceof ActionFailure) {
      const { code, retryable, details, message } = error;
      return { fault: { reason: "ACTION_FAILED", message, code, retryable, details: json(details) } };
    }
    const message = `${error.name}: ${error.message}`;
    return { fault: { reason: "ACTION_RAISED", message, retryable: true, traceback: error.stack || "" } };
  }
}

async function runTrigger(start) {
  const { interrupt, sleep } = interruptible();
  triggers.set(start.instance, interrupt);
  const trigger = {
    sleep,
    cursor: parsed(start.cursor),
    emit: async (events, cursor) => {
      const filled = events.map((event) => ({
        source: `/${start.namespace}/${start.workflow}/${start.name}`, type: start.trigger,
        time: new Date().toISOString(), ...event, data: json(event.data),
      }));
      return (await ask({ emit: { instance: start.instance, events: filled, cursor: json(cursor) } })).events;
    },
  };
  let ended = { verdict: "ENDED", message: "nothing more to come" };
  if (takesBegun) send({ trigger_begun: { instance: start.instance } }); // it waits for nothing outside: it is ready
  try {
    await TRIGGERS[start.trigger](parsed(start.options) || {}, trigger);
  } catch (error) {
    const crashed = { verdict: "CRASHED", message: `${error.name}: ${error.message}`, traceback: error.stack || "" };
    ended = error instanceof Canceled ? { verdict: "ENDED", message: "stopped" } : crashed;
  }
  triggers.delete(start.instance);
  send({ trigger_ended: { instance: start.instance, ...ended } });
}

function answered(call, answer) {
  const waiting = asked.get(call);
  asked.delete(call);
  if (!waiting) return;
  if (answer.fault) waiting.reject(new Error(`${answer.fault.reason}: ${answer.fault.message}`));
  else waiting.resolve(answer);
}

function take(frame) {
  switch (frame.frame) {
    case "welcome":
      welcomed = true;
      takesBegun = frame.welcome.begun;
      for (const held of attempts.values()) if (held.outcome) send({ outcome: held.outcome });
      for (const resolve of waiting.splice(0)) resolve();
      break;
    case "ping": case "provision":
      send({ call: frame.call, done: {} });
      break;
    case "start_attempt": runAttempt(frame.start_attempt); break;
    case "cancel_attempt": attempts.get(keyOf(frame.cancel_attempt.id))?.interrupt(); break;
    case "recorded":
      for (const id of frame.recorded.ids) attempts.delete(keyOf(id));
      if (draining) leaveWhenDone();
      break;
    case "start_trigger": runTrigger(frame.start_trigger); break;
    case "stop_trigger": triggers.get(frame.stop_trigger.instance)?.(); break;
    case "emitted": answered(frame.call, frame.emitted); break;
    case "host_answer": answered(frame.call, frame.host_answer); break;
    case "drain":
      draining = true;
      for (const stop of triggers.values()) stop();
      leaveWhenDone();
      break;
    default: // a newer host may say more; what asks for an answer gets one
      if (frame.call) send({ call: frame.call, done: { fault: { reason: "HOST_CALL_UNKNOWN", message: frame.frame } } });
  }
}

function leaveWhenDone() {
  if (!attempts.size) stream.end();
}

function dial() {
  stream = client.Connect();
  stream.on("data", take);
  stream.on("error", () => {}); // `status` says it, too
  stream.on("status", lost); // comes last, once for each stream; `close` does not come where the host was killed
  stream.write({
    hello: {
      protocol_min: 1, protocol_max: 1, cookie: env.HOSTD_PLUGIN_COOKIE, plugin: env.HOSTD_PLUGIN_ID,
      version: env.HOSTD_PLUGIN_VERSION || "", sdk: "javascript/0", components: COMPONENTS, pid: process.pid,
      begun: true, running: [...attempts.values()].map((held) => held.id), // what an earlier stream left here
    },
  });
}

function lost() {
  if (welcomed && hostGone) orphaned(); // standard input was the first host's: a later one is only seen to go here
  welcomed = false;
  for (const { reject } of asked.values()) reject(new Error("the host is gone"));
  asked.clear();
  for (const stop of triggers.values()) stop(); // the host starts them anew
  if (draining) process.exit(0);
  setTimeout(dial, 200); // attempts go on: the next host hears of them in Hello
}

// It may dial on for a while: a new host takes running attempts over.
function orphaned() {
  setTimeout(() => welcomed || process.exit(0), 1000 * Number(env.HOSTD_PLUGIN_ORPHAN_S || 30));
}

// Standard input ends with the host that started this program.
process.stdin.on("end", () => {
  if (hostGone) return;
  hostGone = true;
  orphaned();
}).resume();
process.on("SIGTERM", () => process.exit(0));
dial();

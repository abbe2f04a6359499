/**
 * A pair of OBS Studio: each beside a coordinator, driven in step. `OBS_URL` is this engine's OBS (obs-websocket 5, part of
 * OBS since 28), `OBS_PASSWORD` its password. Run it twice, with the two configurations:
 *
 *     OBS_URL=ws://127.0.0.1:4455 node examples/obs/obs-engine.js config/engine-a.yaml
 */
import OBSWebSocket from "obs-websocket-js";
import { ChangeoverError, loadConfig, startHost } from "changeover";

const CALL_MS = 1_000;
const RETRY_MS = 100;
const LOOK_MS = 200;
const LOOK_AGAIN_MS = 10;
const MAX_LOOKS = 100;
/** obs-websocket: the source cannot do this, such as one without sound that is asked whether it is mute. */
const INVALID_RESOURCE = 600;

/** Each command is one change of OBS. `fields` are what its payload must be. */
const COMMANDS = {
  "POST /scenes": { fields: { scene: "string" }, run: (obs, { scene }) => obs.addScene(scene) },
  "POST /inputs": {
    fields: { scene: "string", input: "string", kind: "string", settings: "object" },
    run: (obs, payload) => obs.addInput(payload),
  },
  "POST /program": {
    fields: { scene: "string" },
    run: (obs, { scene }) => obs.program(scene),
  },
  "POST /preview": {
    fields: { scene: "string" },
    run: (obs, { scene }) => obs.call("SetCurrentPreviewScene", { sceneName: scene }),
  },
  "POST /take": { fields: {}, run: (obs) => obs.take() },
  "POST /transition": {
    fields: { transition: "string" },
    run: (obs, { transition }) => obs.call("SetCurrentSceneTransition", { transitionName: transition }),
  },
  "POST /mute": {
    fields: { input: "string", muted: "boolean" },
    run: (obs, { input, muted }) => obs.call("SetInputMute", { inputName: input, inputMuted: muted }),
  },
};

/** One OBS over one connection at a time. A closed connection may be a dead OBS: the next connection tells. */
class Obs {
  #socket = new OBSWebSocket();
  #url;
  #password;
  connected = false;
  onClosed = () => undefined;

  constructor(url, password) {
    this.#url = url;
    this.#password = password;
    this.#socket.on("ConnectionClosed", () => {
      const was = this.connected;
      this.connected = false;
      if (was) this.onClosed();
    });
  }

  async connect() {
    await this.#socket.connect(this.#url, this.#password);
    await this.call("SetStudioModeEnabled", { studioModeEnabled: true });
    this.connected = true;
  }

  async disconnect() {
    this.connected = false;
    await this.#socket.disconnect();
  }

  /** Never waits for longer than `CALL_MS`: an OBS that hangs must not hold up the show. */
  async call(request, data) {
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`OBS does not answer ${request} within ${CALL_MS} ms`)), CALL_MS);
    });
    try {
      return await Promise.race([this.#socket.call(request, data), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async addScene(sceneName) {
    const { scenes } = await this.call("GetSceneList");
    if (!scenes.some((scene) => scene.sceneName === sceneName)) await this.call("CreateScene", { sceneName });
  }

  async addInput({ scene, input, kind, settings }) {
    const { inputs } = await this.call("GetInputList");
    if (inputs.some(({ inputName }) => inputName === input)) {
      await this.call("SetInputSettings", { inputName: input, inputSettings: settings, overlay: false });
    } else {
      const made = { sceneName: scene, inputName: input, inputKind: kind, inputSettings: settings };
      await this.call("CreateInput", made);
    }
  }

  /**
   * OBS puts the old programme on preview when the transition has ended. Here it is there at once, so that the state after a
   * command does not depend on when it is read.
   */
  async program(sceneName) {
    const { currentProgramSceneName: before } = await this.call("GetCurrentProgramScene");
    await this.call("SetCurrentProgramScene", { sceneName });
    if (sceneName !== before) await this.call("SetCurrentPreviewScene", { sceneName: before });
  }

  async take() {
    await this.program((await this.call("GetCurrentPreviewScene")).currentPreviewSceneName);
  }

  /** What obs-websocket can read and set again, in an order that does not depend on OBS. */
  async read() {
    const {
      scenes,
      currentProgramSceneName: program,
      currentPreviewSceneName: preview,
    } = await this.call("GetSceneList");
    const { transitionName: transition } = await this.call("GetCurrentSceneTransition");
    const names = scenes.map(({ sceneName }) => sceneName).sort();
    const shown = [];
    for (const scene of names) shown.push({ scene, inputs: await this.#inputsOf(scene) });
    return { program, preview, transition, scenes: shown };
  }

  /** Makes OBS show `state`, whatever it shows now. */
  async write({ program, preview, transition, scenes }) {
    for (const { scene, inputs } of scenes) {
      await this.addScene(scene);
      for (const { muted, ...input } of inputs) {
        await this.addInput({ scene, ...input });
        if (muted !== null) await this.call("SetInputMute", { inputName: input.input, inputMuted: muted });
      }
    }
    // By a cut: at the end of a longer transition OBS would put the scene that was there before on preview.
    const { transitions } = await this.call("GetSceneTransitionList");
    const cut = transitions.find(({ transitionKind }) => transitionKind === "cut_transition");
    if (cut !== undefined) await this.call("SetCurrentSceneTransition", { transitionName: cut.transitionName });
    await this.call("SetCurrentProgramScene", { sceneName: program });
    await this.call("SetCurrentPreviewScene", { sceneName: preview });
    await this.call("SetCurrentSceneTransition", { transitionName: transition });
    const wanted = new Map(scenes.map(({ scene, inputs }) => [scene, new Set(inputs.map(({ input }) => input))]));
    for (const { scene, inputs } of (await this.read()).scenes) {
      const kept = wanted.get(scene);
      if (kept === undefined) await this.call("RemoveScene", { sceneName: scene });
      for (const { input } of inputs)
        if (kept?.has(input) === false) await this.call("RemoveInput", { inputName: input });
    }
    // OBS removes a scene a moment after its answer.
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const left = (await this.call("GetSceneList")).scenes.filter(({ sceneName }) => !wanted.has(sceneName));
      if (left.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }

  async #inputsOf(scene) {
    const { sceneItems } = await this.call("GetSceneItemList", { sceneName: scene });
    const inputs = [];
    for (const { sourceName: input, inputKind: kind } of sceneItems) {
      if (kind === null) continue;
      const { inputSettings: settings } = await this.call("GetInputSettings", { inputName: input });
      inputs.push({ input, kind, settings, muted: await this.#mutedOf(input) });
    }
    return inputs.sort((one, other) => (one.input < other.input ? -1 : 1));
  }

  /** null: it has no sound. */
  async #mutedOf(inputName) {
    try {
      return (await this.call("GetInputMute", { inputName })).inputMuted;
    } catch (error) {
      if (error.code >= INVALID_RESOURCE) return null;
      throw error;
    }
  }
}

class ObsEngine {
  #obs;
  #identity = { epoch: 0, seq: 0 };
  #program = "";
  #tell = () => undefined;
  #reconnected = false;
  #closed = false;
  #timer = null;

  constructor(obs) {
    this.#obs = obs;
    obs.onClosed = () => this.#look();
  }

  validate(kind, payload) {
    const command = COMMANDS[kind];
    if (command === undefined) return `kind is "${kind}": must be one of ${Object.keys(COMMANDS).join(", ")}`;
    const wrong = Object.entries(command.fields).find(([name, type]) => typeof payload?.[name] !== type);
    return wrong === undefined ? null : `${wrong[0]} must be of type ${wrong[1]}`;
  }

  async execute({ epoch, seq, kind, payload }) {
    const last = this.#identity;
    if (epoch < last.epoch || (epoch === last.epoch && seq <= last.seq)) return { ok: true };
    if (!this.#obs.connected) return { ok: false, error: "OBS is not connected", gaveUp: true };
    try {
      await COMMANDS[kind].run(this.#obs, payload);
    } catch (error) {
      // A request that OBS refuses has a code, and the other OBS refuses it, too. Without one nobody knows what OBS did.
      if (error.code === undefined || !this.#obs.connected) return { ok: false, error: error.message, gaveUp: true };
      this.#identity = { epoch, seq };
      return { ok: false, error: error.message };
    }
    this.#identity = { epoch, seq };
    return { ok: true };
  }

  async snapshot() {
    return { ...this.#identity, obs: await this.#ask(() => this.#obs.read()) };
  }

  async restore({ epoch, seq, obs }) {
    await this.#ask(() => this.#obs.write(obs));
    this.#identity = { epoch, seq };
  }

  /** An OBS that is connected again may have been started again: it says no position, so it is restored. */
  watch(tell) {
    this.#tell = tell;
    this.#look();
  }

  onRole() {}

  health() {
    return this.#obs.connected ? "ok" : "failed";
  }

  programSource() {
    return this.#program;
  }

  async read() {
    return { status: 200, body: await this.#ask(() => this.#obs.read()) };
  }

  async close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#obs.disconnect();
  }

  async #ask(question) {
    try {
      return await question();
    } catch (error) {
      throw new ChangeoverError("engine_not_ready", `OBS: ${error.message}`, { retryable: true });
    }
  }

  /** Connects again at once, and says whether anything listens there. */
  async #look() {
    clearTimeout(this.#timer);
    this.#tell({ type: "asked" });
    try {
      if (!this.#obs.connected) {
        await this.#obs.connect();
        this.#tell({ type: "answered", instance: null, position: null, reconnected: this.#reconnected });
        this.#reconnected = true;
      }
      this.#program = (await this.#obs.call("GetCurrentProgramScene")).currentProgramSceneName;
    } catch (error) {
      const refused = String(error.message).includes("ECONNREFUSED");
      this.#tell(refused ? { type: "refused" } : { type: "silent", why: `OBS: ${error.message}` });
      // One that hangs is left: a new connection tells whether it lives again.
      if (this.#obs.connected) await this.#obs.disconnect();
    }
    if (!this.#closed) this.#timer = setTimeout(() => this.#look(), this.#obs.connected ? LOOK_MS : RETRY_MS);
  }
}

const obs = new Obs(process.env.OBS_URL ?? "ws://127.0.0.1:4455", process.env.OBS_PASSWORD);
const host = await startHost(loadConfig(process.argv.at(-1), process.env), { engine: new ObsEngine(obs) });
console.log(`ready at ${host.url}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => host.close());

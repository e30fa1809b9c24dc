import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#kernel';
import type { DriverEvents, LogDriver } from '../drivers/driver.ts';
import { mayConnectLater, openDriver, patienceOf, type DriverChoice } from '../drivers/open-driver.ts';
import { Shipper, type Connect } from './shipper.ts';

/** Where one container's records are and where they go. */
export interface ShippedLog extends DriverChoice {
  /** The local log. */
  readonly path: string;
  /** Where it is kept how far they were sent. */
  readonly positionPath: string;
}

export interface LogShippingOptions {
  readonly logger: Logger;
  /** Of the host's journal. */
  readonly journalSocket?: string;
}

/** How long the removal of a container waits for a target that takes nothing. */
const STALL_MS = 3000;
const LOOK_MS = 50;

/** The remote log drivers at work: each container's records are sent from its local log, which outlives daemons. */
export class LogShipping implements AsyncDisposable {
  readonly #options: LogShippingOptions;
  readonly #shippers = new Map<string, Shipper>();

  constructor(options: LogShippingOptions) {
    this.#options = options;
  }

  /** Before a run. Throws EngineError when the target cannot be reached, unless the driver may connect later. */
  async open(log: ShippedLog): Promise<void> {
    const connect = this.#connector(log);
    const id = log.info.containerId;
    const driver = mayConnectLater(log) ? undefined : await connect();
    const known = this.#shippers.get(id);
    if (known?.again(connect, driver)) return;
    await known?.done;
    this.#begin(log, connect, { driver, writing: true });
  }

  /** After a start of the daemon: what was not sent yet goes now. `running`: and what is still to come. */
  resume(log: ShippedLog, running: boolean): void {
    this.#begin(log, this.#connector(log), { driver: undefined, writing: running });
  }

  /** The run has ended: its shipper does so too, once everything is sent. */
  ended(containerId: string): void {
    this.#shippers.get(containerId)?.ended();
  }

  /** The container goes: waits until everything is sent, while something moves. */
  async finish(containerId: string): Promise<void> {
    const shipper = this.#shippers.get(containerId);
    if (!shipper) return;
    shipper.ended();
    let { progress } = shipper;
    for (let waited = 0; waited < STALL_MS && this.#shippers.has(containerId); waited += LOOK_MS) {
      await Promise.race([shipper.done, delay(LOOK_MS)]);
      if (shipper.progress !== progress) waited = 0;
      ({ progress } = shipper);
    }
    if (!this.#shippers.has(containerId)) return;
    this.#options.logger.warn({ container: containerId }, 'a container was removed with records not sent');
    await shipper.close();
  }

  /** The local log was emptied. */
  async cleared(log: ShippedLog): Promise<void> {
    const shipper = this.#shippers.get(log.info.containerId);
    if (shipper) shipper.cleared();
    else await rm(log.positionPath, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#shippers.values()].map((shipper) => shipper.close()));
  }

  #connector(log: DriverChoice): Connect {
    const socket = this.#options.journalSocket ?? '/run/systemd/journal/socket';
    const events: DriverEvents = {
      dropped: (reason) => {
        const container = log.info.containerId;
        this.#options.logger.warn({ container, reason }, 'a record was left out by its log driver');
      },
    };
    const open = (): Promise<LogDriver> => openDriver(log, events, socket);
    return Object.assign(open, { patience: patienceOf(log) });
  }

  #begin(
    log: ShippedLog,
    connect: Connect,
    state: { readonly driver: LogDriver | undefined; readonly writing: boolean },
  ): void {
    const { path, positionPath } = log;
    const { containerId } = log.info;
    const shipper = new Shipper(
      { containerId, path, positionPath, logger: this.#options.logger },
      connect,
      state,
    );
    this.#shippers.set(containerId, shipper);
    void shipper.done.then(() => {
      if (this.#shippers.get(containerId) === shipper) this.#shippers.delete(containerId);
    });
  }
}

import { text, type Database } from '#metadata';
import type { Endpoint, EndpointSpec, PortRequest, PublishedPort } from './networks.ts';

/** An endpoint and what was asked for it. */
export interface StoredEndpoint {
  readonly endpoint: Endpoint;
  readonly spec: EndpointSpec;
}

/** A sandbox as it is kept while it is open. */
export interface StoredSandbox {
  readonly containerId: string;
  readonly containerName: string;
  readonly hostname: string;
  readonly requests: readonly PortRequest[];
  readonly ports: readonly PublishedPort[];
  readonly dns?: readonly string[];
  readonly endpoints: readonly StoredEndpoint[];
}

/** Namespaces do not outlive the host, so their rows need not survive its loss of power. */
const together = (db: Database, body: () => void): void => db.relaxed(() => db.transaction(body));

/** One transaction: the sandbox and its endpoints as they are now. */
export function saveSandbox(db: Database, sandbox: StoredSandbox): void {
  const { endpoints, ...record } = sandbox;
  together(db, () => {
    db.run(
      'INSERT INTO sandboxes (container, record) VALUES (?, ?) ON CONFLICT (container) DO UPDATE SET record = excluded.record',
      sandbox.containerId,
      JSON.stringify(record),
    );
    db.run('DELETE FROM endpoints WHERE container = ?', sandbox.containerId);
    for (const entry of endpoints) {
      db.run(
        'INSERT INTO endpoints (container, network, record) VALUES (?, ?, ?)',
        sandbox.containerId,
        entry.endpoint.networkId,
        JSON.stringify(entry),
      );
    }
  });
}

export function deleteSandbox(db: Database, containerId: string): void {
  together(db, () => {
    db.run('DELETE FROM endpoints WHERE container = ?', containerId);
    db.run('DELETE FROM sandboxes WHERE container = ?', containerId);
  });
}

/** Both columns are written by saveSandbox only. */
export function loadSandboxes(db: Database): StoredSandbox[] {
  return db.all('SELECT container, record FROM sandboxes').map((row) => {
    const record = JSON.parse(text(row, 'record')) as Omit<StoredSandbox, 'endpoints'>;
    const endpoints = db
      .all('SELECT record FROM endpoints WHERE container = ? ORDER BY rowid', text(row, 'container'))
      .map((entry) => JSON.parse(text(entry, 'record')) as StoredEndpoint);
    return { ...record, endpoints };
  });
}

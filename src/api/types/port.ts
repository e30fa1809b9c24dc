export interface PortBinding {
  /** '' every address */
  readonly HostIp?: string;
  /** decimal, a range `8000-8010`, or '' for any free port */
  readonly HostPort?: string;
}

/** By `80/tcp`; null: exposed, not published. */
export type PortMap = Readonly<Record<string, readonly PortBinding[] | null>>;

export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: 'tcp' | 'udp' | 'sctp';
}

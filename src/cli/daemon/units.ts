/** The names of the engine's services under systemd. */
export const daemonUnit = 'wharfd.service';
export const supervisorUnit = 'wharf-supervisor.service';

export interface UnitOptions {
  /** The program wharfd with its first arguments. */
  readonly command: readonly string[];
  /** Further options of wharfd. */
  readonly args: readonly string[];
  readonly pidFile: string;
}

/** An argument as systemd reads it back: systemd.service(5), "Command lines". */
function quoted(argument: string): string {
  const escaped = argument.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

const commandLine = (words: readonly string[]): string => words.map(quoted).join(' ');

const limits = `LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity`;

/** The engine. Restarting it leaves containers alone, since their processes belong to the other unit. */
const daemonText = ({ command, args, pidFile }: UnitOptions): string => `[Unit]
Description=Wharf container engine
Wants=network-online.target ${supervisorUnit}
After=network-online.target nss-lookup.target firewalld.service nftables.service apparmor.service time-set.target ${supervisorUnit}
StartLimitIntervalSec=60
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=main
Environment=WHARF_SUPERVISOR_UNIT=${supervisorUnit}
ExecStart=${commandLine([...command, '--pidfile', pidFile, ...args])}
ExecReload=kill -HUP $MAINPID
Restart=on-failure
RestartSec=1
TimeoutStartSec=300
TimeoutStopSec=120
KillMode=process
OOMScoreAdjust=-500
${limits}

[Install]
WantedBy=multi-user.target
`;

/** The parent of the containers' processes. Only its own end, never that of its unit, may end them. */
const supervisorText = ({ command, args }: UnitOptions): string => `[Unit]
Description=Wharf supervisor (processes of the containers)
Before=${daemonUnit}

[Service]
Type=exec
ExecStart=${commandLine([...command, 'supervise', ...args])}
Restart=on-failure
RestartSec=100ms
KillMode=process
Delegate=yes
OOMScoreAdjust=-999
${limits}
`;

/** The unit files by name. Pure. */
export const unitFiles = (options: UnitOptions): Readonly<Record<string, string>> => ({
  [daemonUnit]: daemonText(options),
  [supervisorUnit]: supervisorText(options),
});

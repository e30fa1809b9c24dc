import { bake, builder, buildx } from './builder-tree.ts';
import { also, type Entry } from './entry.ts';

const container = {
  attach: {
    summary: 'Connect this terminal to the streams of a running container',
    load: () => import('./commands/container/attach.ts'),
  },
  commit: {
    summary: 'Make an image from what a container changed',
    load: () => import('./commands/container/commit.ts'),
  },
  cp: {
    summary: 'Copy files between a container and this machine',
    load: () => import('./commands/container/cp.ts'),
  },
  create: {
    summary: 'Create a container without starting it',
    load: () => import('./commands/container/create.ts'),
  },
  diff: {
    summary: 'Show which files of a container differ from its image',
    load: () => import('./commands/container/diff.ts'),
  },
  exec: {
    summary: 'Run a command inside a running container',
    load: () => import('./commands/container/exec.ts'),
  },
  export: {
    summary: "Write a container's file system as a tar archive",
    load: () => import('./commands/container/export.ts'),
  },
  inspect: {
    summary: 'Show everything about one or more containers',
    load: () => import('./commands/container/inspect.ts'),
  },
  kill: {
    summary: 'Send a signal to one or more containers, KILL by default',
    load: () => import('./commands/container/kill.ts'),
  },
  logs: { summary: 'Show what a container has printed', load: () => import('./commands/container/logs.ts') },
  ls: { summary: 'List containers', load: () => import('./commands/container/ls.ts') },
  pause: {
    summary: 'Freeze all processes of one or more containers',
    load: () => import('./commands/container/pause.ts'),
  },
  port: {
    summary: 'Show where the ports of a container are published',
    load: () => import('./commands/container/port.ts'),
  },
  prune: { summary: 'Remove every stopped container', load: () => import('./commands/container/prune.ts') },
  rename: { summary: 'Give a container another name', load: () => import('./commands/container/rename.ts') },
  restart: {
    summary: 'Stop and start one or more containers',
    load: () => import('./commands/container/restart.ts'),
  },
  rm: { summary: 'Remove one or more containers', load: () => import('./commands/container/rm.ts') },
  run: {
    summary: 'Create a container from an image and start it',
    load: () => import('./commands/container/run.ts'),
  },
  start: {
    summary: 'Start one or more stopped containers',
    load: () => import('./commands/container/start.ts'),
  },
  stats: {
    summary: 'Show what containers use of CPU, memory and I/O, live',
    load: () => import('./commands/container/stats.ts'),
  },
  stop: {
    summary: 'Stop one or more running containers',
    load: () => import('./commands/container/stop.ts'),
  },
  top: { summary: 'List the processes of a container', load: () => import('./commands/container/top.ts') },
  unpause: {
    summary: 'Let the processes of frozen containers go on',
    load: () => import('./commands/container/unpause.ts'),
  },
  update: {
    summary: 'Change the limits of one or more containers',
    load: () => import('./commands/container/update.ts'),
  },
  wait: {
    summary: 'Wait until containers have stopped and print their exit codes',
    load: () => import('./commands/container/wait.ts'),
  },
  why: {
    summary: 'Tell why a container stopped, will not start or is unhealthy',
    load: () => import('./commands/container/why.ts'),
  },
} satisfies Record<string, Entry>;

const image = {
  build: { summary: 'Build an image from a Dockerfile', load: () => import('./commands/image/build.ts') },
  history: {
    summary: 'Show the steps that an image was made in',
    load: () => import('./commands/image/history.ts'),
  },
  import: {
    summary: 'Make an image from a tar archive of a file system',
    load: () => import('./commands/image/import.ts'),
  },
  inspect: {
    summary: 'Show everything about one or more images',
    load: () => import('./commands/image/inspect.ts'),
  },
  load: {
    summary: 'Load images from an archive or from standard input',
    load: () => import('./commands/image/load.ts'),
  },
  ls: { summary: 'List images', load: () => import('./commands/image/ls.ts') },
  prune: { summary: 'Remove images that nothing uses', load: () => import('./commands/image/prune.ts') },
  pull: { summary: 'Fetch an image from a registry', load: () => import('./commands/image/pull.ts') },
  push: { summary: 'Send an image to a registry', load: () => import('./commands/image/push.ts') },
  rm: { summary: 'Remove one or more images', load: () => import('./commands/image/rm.ts') },
  save: {
    summary: 'Write images to an archive, on standard output by default',
    load: () => import('./commands/image/save.ts'),
  },
  tag: { summary: 'Give an image another name', load: () => import('./commands/image/tag.ts') },
  verify: {
    summary: 'Read images again from the disk, and repair what is damaged',
    load: () => import('./commands/image/verify.ts'),
  },
} satisfies Record<string, Entry>;

const manifest = {
  annotate: {
    summary: 'Say for which platform a manifest of a list is',
    load: () => import('./commands/manifest/annotate.ts'),
  },
  create: {
    summary: 'Begin a list of manifests that can be pushed',
    load: () => import('./commands/manifest/create.ts'),
  },
  inspect: {
    summary: 'Show a manifest, or a list of manifests',
    load: () => import('./commands/manifest/inspect.ts'),
  },
  push: {
    summary: 'Send a list of manifests to a registry',
    load: () => import('./commands/manifest/push.ts'),
  },
  rm: {
    summary: 'Forget one or more lists of manifests',
    load: () => import('./commands/manifest/rm.ts'),
  },
} satisfies Record<string, Entry>;

const system = {
  df: {
    summary: 'Show what images, containers and volumes take on disk',
    load: () => import('./commands/system/df.ts'),
  },
  'dial-stdio': {
    summary: 'Connect standard input and output to the engine',
    load: () => import('./commands/system/dial-stdio.ts'),
    hidden: true,
  },
  events: { summary: 'Follow what happens in the engine', load: () => import('./commands/system/events.ts') },
  gc: {
    summary: 'Remove what nothing needs, and more where the disk is low on space',
    load: () => import('./commands/system/gc.ts'),
  },
  'import-docker': {
    summary: 'Take images and volumes over from a Docker engine',
    load: () => import('./commands/system/import-docker.ts'),
  },
  info: {
    summary: 'Show the state of the engine and its host',
    load: () => import('./commands/system/info.ts'),
  },
  prune: {
    summary: 'Remove everything that is not in use',
    load: () => import('./commands/system/prune.ts'),
  },
  undo: {
    summary: 'Bring back what the last prune removed',
    load: () => import('./commands/system/undo.ts'),
  },
} satisfies Record<string, Entry>;

const network = {
  connect: {
    summary: 'Connect a container to a network',
    load: () => import('./commands/network/connect.ts'),
  },
  create: { summary: 'Create a network', load: () => import('./commands/network/create.ts') },
  disconnect: {
    summary: 'Disconnect a container from a network',
    load: () => import('./commands/network/disconnect.ts'),
  },
  inspect: {
    summary: 'Show everything about one or more networks',
    load: () => import('./commands/network/inspect.ts'),
  },
  ls: { summary: 'List networks', load: () => import('./commands/network/ls.ts') },
  prune: {
    summary: 'Remove every network without containers',
    load: () => import('./commands/network/prune.ts'),
  },
  rm: { summary: 'Remove one or more networks', load: () => import('./commands/network/rm.ts') },
} satisfies Record<string, Entry>;

const checkpoint = {
  create: {
    summary: 'Freeze a running container into a checkpoint',
    load: () => import('./commands/checkpoint/create.ts'),
  },
  ls: { summary: 'List the checkpoints of a container', load: () => import('./commands/checkpoint/ls.ts') },
  rm: { summary: 'Remove a checkpoint', load: () => import('./commands/checkpoint/rm.ts') },
} satisfies Record<string, Entry>;

const volume = {
  create: { summary: 'Create a volume', load: () => import('./commands/volume/create.ts') },
  inspect: {
    summary: 'Show everything about one or more volumes',
    load: () => import('./commands/volume/inspect.ts'),
  },
  lock: {
    summary: 'Make volumes untouchable: nobody can remove them',
    load: () => import('./commands/volume/lock.ts'),
  },
  ls: { summary: 'List volumes', load: () => import('./commands/volume/ls.ts') },
  prune: {
    summary: 'Remove volumes that no container uses',
    load: () => import('./commands/volume/prune.ts'),
  },
  rm: { summary: 'Remove one or more volumes', load: () => import('./commands/volume/rm.ts') },
  unlock: {
    summary: 'Let locked volumes be removed again',
    load: () => import('./commands/volume/unlock.ts'),
  },
} satisfies Record<string, Entry>;

const daemon = {
  disable: {
    summary: 'Remove the engine from the services that start with the machine',
    load: () => import('./commands/daemon/disable.ts'),
  },
  enable: {
    summary: 'Make the engine a service that starts with the machine',
    load: () => import('./commands/daemon/enable.ts'),
  },
  logs: { summary: "Show the engine's log", load: () => import('./commands/daemon/logs.ts') },
  start: { summary: 'Start the engine in the background', load: () => import('./commands/daemon/start.ts') },
  status: { summary: 'Show whether the engine runs', load: () => import('./commands/daemon/status.ts') },
  stop: { summary: 'Stop the engine; containers run on', load: () => import('./commands/daemon/stop.ts') },
} satisfies Record<string, Entry>;

const alias = {
  install: {
    summary: 'Add the names docker and dockerd for these programs',
    load: () => import('./commands/alias/install.ts'),
  },
  remove: {
    summary: 'Remove the names docker and dockerd again',
    load: () => import('./commands/alias/remove.ts'),
  },
} satisfies Record<string, Entry>;

/** The most used commands, in the order of help. */
export const commonCommands: Readonly<Record<string, Entry>> = {
  run: container.run,
  exec: container.exec,
  ps: { ...container.ls },
  build: image.build,
  pull: image.pull,
  push: image.push,
  images: { ...image.ls },
  login: { summary: 'Sign in to a registry', load: () => import('./commands/registry/login.ts') },
  logout: { summary: 'Sign out of a registry', load: () => import('./commands/registry/logout.ts') },
  version: {
    summary: 'Show the versions of client and engine',
    load: () => import('./commands/system/version.ts'),
  },
  search: {
    summary: "Search a registry's index, Docker Hub's by default",
    load: () => import('./commands/image/search.ts'),
  },
  info: system.info,
};

/** Groups of commands, by noun. */
export const groups: Readonly<Record<string, Entry>> = {
  alias: { summary: 'Manage the names docker and dockerd', entries: alias },
  builder: { summary: 'Manage builds', entries: { ...builder, build: image.build } },
  buildx: {
    summary: 'Build, by the names of buildx',
    entries: { ...buildx, build: image.build, b: also(image.build, 'build') },
  },
  checkpoint: {
    summary: 'Manage checkpoints (experimental)',
    hidden: true,
    entries: { ...checkpoint, list: also(checkpoint.ls, 'ls'), remove: also(checkpoint.rm, 'rm') },
  },
  container: {
    summary: 'Manage containers',
    entries: {
      ...container,
      list: also(container.ls, 'ls'),
      ps: also(container.ls, 'ls'),
      remove: also(container.rm, 'rm'),
    },
  },
  daemon: { summary: 'Manage the engine of this machine', entries: daemon },
  image: {
    summary: 'Manage images',
    entries: { ...image, list: also(image.ls, 'ls'), remove: also(image.rm, 'rm') },
  },
  manifest: { summary: 'Manage lists of manifests for several platforms', entries: manifest },
  network: {
    summary: 'Manage networks',
    entries: { ...network, list: also(network.ls, 'ls'), remove: also(network.rm, 'rm') },
  },
  registry: {
    summary: 'Run a registry of your own',
    entries: {
      df: {
        summary: 'Show what the repositories of a registry hold, and their quotas',
        load: () => import('./commands/registry/df.ts'),
      },
      gc: {
        summary: 'Apply retention rules and collect garbage, in a registry that is being served',
        load: () => import('./commands/registry/gc.ts'),
      },
      reload: {
        summary: 'Make a registry read its rules, users and certificates again',
        load: () => import('./commands/registry/reload.ts'),
      },
      retention: {
        summary: 'Apply retention rules, in a registry that is being served',
        load: () => import('./commands/registry/retention.ts'),
      },
      serve: {
        summary: 'Serve a registry (OCI distribution 1.1) from a folder',
        load: () => import('./commands/registry/serve.ts'),
      },
    },
  },
  system: { summary: 'Manage the engine', entries: system },
  volume: {
    summary: 'Manage volumes',
    entries: { ...volume, list: also(volume.ls, 'ls'), remove: also(volume.rm, 'rm') },
  },
};

/** The other commands that stand alone. */
export const plainCommands: Readonly<Record<string, Entry>> = {
  attach: container.attach,
  bake,
  commit: container.commit,
  cp: container.cp,
  create: container.create,
  diff: container.diff,
  events: system.events,
  export: container.export,
  history: image.history,
  import: image.import,
  inspect: {
    summary: 'Show everything about objects of any kind',
    load: () => import('./commands/system/inspect.ts'),
  },
  kill: container.kill,
  load: image.load,
  logs: container.logs,
  pause: container.pause,
  port: container.port,
  rename: container.rename,
  restart: container.restart,
  rm: container.rm,
  rmi: image.rm,
  save: image.save,
  start: container.start,
  stats: container.stats,
  stop: container.stop,
  tag: image.tag,
  top: container.top,
  unpause: container.unpause,
  update: container.update,
  wait: container.wait,
  why: container.why,
};

export const root: Entry = {
  summary: 'Containers from one program',
  entries: { ...commonCommands, ...groups, ...plainCommands },
};

import { notFound, unavailable, unimplemented } from '#kernel';
import { ok } from '../answer.ts';
import { named, type Method, type Route } from '../route.ts';

const notManager = (): never => {
  throw unavailable(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
};

const noSwarm = (): never => {
  throw unimplemented('this engine has no swarm mode');
};

/** Nouns whose every operation needs a swarm. */
const swarmNouns = ['nodes', 'services', 'tasks', 'secrets', 'configs'];
const methods: readonly Method[] = ['GET', 'POST', 'DELETE'];

/** What clients ask of every engine although this one has none of it: they go on when told so in Docker's words. */
export const absentRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/plugins',
    operation: 'PluginList',
    handle: (exchange) => {
      exchange.query.filters(['capability', 'enabled']);
      return ok([]);
    },
  },
  {
    method: 'GET',
    path: named('plugins', '/json'),
    operation: 'PluginInspect',
    handle: (exchange) => {
      throw notFound(`plugin ${JSON.stringify(exchange.name)} not found`);
    },
  },
  { method: 'GET', path: '/swarm', operation: 'SwarmInspect', handle: notManager },
  { method: 'GET', path: '/swarm/unlockkey', operation: 'SwarmUnlockkey', handle: notManager },
  { method: 'POST', path: '/swarm/init', operation: 'SwarmInit', handle: noSwarm },
  { method: 'POST', path: '/swarm/join', operation: 'SwarmJoin', handle: noSwarm },
  { method: 'POST', path: '/swarm/update', operation: 'SwarmUpdate', handle: notManager },
  { method: 'POST', path: '/swarm/unlock', operation: 'SwarmUnlock', handle: notManager },
  {
    method: 'POST',
    path: '/swarm/leave',
    operation: 'SwarmLeave',
    handle: () => {
      throw unavailable('This node is not part of a swarm');
    },
  },
  ...swarmNouns.flatMap((noun) =>
    methods.flatMap((method): readonly Route[] => [
      { method, path: `/${noun}`, operation: noun, handle: notManager },
      { method, path: named(noun), operation: noun, handle: notManager },
    ]),
  ),
];

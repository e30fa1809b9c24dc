import type {
  ConfigReference,
  IPAM,
  IPAMConfig,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
} from '../network.ts';
import { endpointSettings } from './container.ts';
import { boolean, list, map, read, string, struct } from './shape.ts';

const text = string();
const labels = map(text);

const ipam = struct<IPAM>('network.IPAM', {
  Driver: text,
  Options: labels,
  Config: list(
    struct<IPAMConfig>('network.IPAMConfig', {
      Subnet: text,
      IPRange: text,
      Gateway: text,
      AuxiliaryAddresses: labels,
      AuxAddress: labels,
    }),
  ),
});

const createRequest = struct<NetworkCreateRequest>('network.CreateRequest', {
  Name: text,
  Driver: text,
  Scope: text,
  Internal: boolean,
  Attachable: boolean,
  Ingress: boolean,
  ConfigOnly: boolean,
  ConfigFrom: struct<ConfigReference>('network.ConfigReference', { Network: text }),
  IPAM: ipam,
  EnableIPv4: boolean,
  EnableIPv6: boolean,
  Options: labels,
  Labels: labels,
  CheckDuplicate: boolean,
});

/** Reads the body of POST /networks/create. Throws invalidArgument `invalid JSON: …`. */
export const parseNetworkCreateRequest = (body: unknown): NetworkCreateRequest =>
  read(createRequest, body, { owner: 'CreateRequest' });

const connectRequest = struct<NetworkConnectRequest>('network.ConnectOptions', {
  Container: text,
  EndpointConfig: endpointSettings,
});

/** Reads the body of POST /networks/{id}/connect. */
export const parseNetworkConnectRequest = (body: unknown): NetworkConnectRequest =>
  read(connectRequest, body, { owner: 'ConnectOptions' });

const disconnectRequest = struct<NetworkDisconnectRequest>('network.DisconnectOptions', {
  Container: text,
  Force: boolean,
});

/** Reads the body of POST /networks/{id}/disconnect. */
export const parseNetworkDisconnectRequest = (body: unknown): NetworkDisconnectRequest =>
  read(disconnectRequest, body, { owner: 'DisconnectOptions' });

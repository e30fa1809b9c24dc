import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { extraAttributes, type LogInfo } from '../log-info.ts';
import { validateLogOptions } from '../log-options.ts';
import { expandTag } from '../tag.ts';
import type { LogMessage } from './driver.ts';
import { FluentdFormat, openFluentd } from './fluentd.ts';
import { GelfFormat, gelfChunks } from './gelf.ts';
import { JournalFormat } from './journald.ts';
import { patienceOf } from './open-driver.ts';
import { SyslogFormat } from './syslog.ts';
import { parseSyslog } from './syslog-options.ts';

const info: LogInfo = {
  containerId: '0123456789abcdef'.repeat(4),
  containerName: 'web',
  imageId: `sha256:${'0'.repeat(64)}`,
  imageName: 'busybox',
  createdAt: 1_700_000_000_000_000_000n,
  entrypoint: 'sh',
  args: ['-c', 'true <&'],
  env: ['E1=x', 'E2=y=z'],
  labels: { lab1: 'v1', 'lab.two': 'v 2' },
  hostname: 'host',
};
const message: LogMessage = {
  stream: 'stdout',
  time: 1_700_000_000_123_456_789n,
  line: Buffer.from('a<b>'),
};
const piece: LogMessage = { ...message, partial: { id: 'p', ordinal: 2, last: true } };

test('validateLogOptions() refuses in the words of the reference engine', () => {
  const gelf = 'gelf-address';
  const table: readonly (readonly [driver: string, options: Record<string, string>, message: string])[] = [
    ['splunk', {}, 'error looking up logging plugin splunk: plugin "splunk" not found'],
    ['json-file', { bogus: '1' }, "unknown log opt 'bogus' for json-file log driver"],
    ['local', { tag: 'x' }, "unknown log opt 'tag' for log driver local"],
    ['json-file', { mode: 'weird' }, 'logger: logging mode not supported: weird'],
    [
      'json-file',
      { 'max-buffer-size': '4m' },
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    ],
    ['syslog', { 'cache-disabled': 'maybe' }, 'invalid value for option cache-disabled: maybe'],
    ['syslog', { 'syslog-address': 'ftp://h:1' }, "unsupported scheme: 'ftp'"],
    ['syslog', { 'syslog-facility': '99' }, 'invalid syslog facility'],
    ['syslog', { 'syslog-format': 'zz' }, 'Invalid syslog format'],
    ['syslog', { 'syslog-address': 'unix:///nope' }, 'stat /nope: no such file or directory'],
    ['gelf', {}, 'gelf-address is a required parameter'],
    ['gelf', { [gelf]: 'http://h:1' }, 'gelf: endpoint needs to be TCP or UDP'],
    ['gelf', { [gelf]: 'udp://h' }, 'gelf: please provide gelf-address as proto://host:port'],
    [
      'gelf',
      { [gelf]: 'tcp://h:1', 'gelf-compression-type': 'gzip' },
      'compression is only supported on UDP',
    ],
    [
      'fluentd',
      { 'fluentd-address': 'ftp://h' },
      "invalid fluentd-address (ftp://h): unsupported scheme: 'ftp'",
    ],
    [
      'fluentd',
      { 'fluentd-address': 'tcp://h:x' },
      'invalid fluentd-address (tcp://h:x): parse "tcp://h:x": invalid port ":x" after host',
    ],
    ['fluentd', { 'fluentd-async': 'maybe' }, 'strconv.ParseBool: parsing "maybe": invalid syntax'],
    [
      'fluentd',
      { 'fluentd-async-reconnect-interval': '1ms' },
      'invalid value for fluentd-async-reconnect-interval: value ("1ms") must be between 100ms and 10s',
    ],
  ];
  for (const [driver, options, text] of table) {
    assert.throws(() => validateLogOptions(driver, options), { kind: 'invalidArgument', message: text });
  }
  validateLogOptions('none', { anything: '1' });
  validateLogOptions('journald', { tag: '{{.Name}}', labels: 'a' });
});

test('expandTag() expands the fields and functions of a tag', () => {
  const table: readonly (readonly [string, string])[] = [
    ['', '0123456789ab'],
    ['{{.Name}}/{{.ImageName}}', 'web/busybox'],
    ['a  b{{- json .ContainerArgs }} {{upper .ID}}', 'a  b["-c","true <&"] 0123456789AB'],
    ['{{printf "%s-x" .ID}}', '0123456789ab-x'],
    ['{{index .ContainerLabels "lab1"}}', 'v1'],
    ['{{.Name | upper}}', 'WEB'],
    ['{{.ContainerArgs}} {{.DaemonName}}', '[-c true <&] docker'],
  ];
  for (const [tag, expected] of table) assert.equal(expandTag(info, { tag }), expected);
  assert.throws(() => expandTag(info, { tag: '{{.ID' }), /template: log-tag:1: unclosed action/);
  assert.throws(
    () => expandTag(info, { tag: '{{.Foo}}' }),
    /can't evaluate field Foo in type \*logger\.Info/,
  );
});

test('extraAttributes() chooses labels and variables by name and by expression', () => {
  assert.deepEqual(extraAttributes(info, { labels: 'lab1', 'env-regex': '^E' }), {
    E1: 'x',
    E2: 'y=z',
    lab1: 'v1',
  });
  assert.throws(() => extraAttributes(info, { 'labels-regex': '(' }), /missing closing \): `\(`/);
});

test('SyslogFormat.encode() writes each format', () => {
  const line = (options: Record<string, string>): string =>
    new SyslogFormat(parseSyslog(options), 'tag', 'host').encode(message).toString();
  const { pid } = process;
  assert.match(line({}), new RegExp(`^<30>Nov 1[45] \\d\\d:\\d\\d:\\d\\d tag\\[${pid}\\]: a<b>\\n$`));
  assert.match(line({ 'syslog-format': 'rfc3164' }), / host tag\[\d+\]: a<b>\n$/);
  assert.equal(
    line({ 'syslog-format': 'rfc5424micro', 'syslog-facility': 'local3' }),
    `<158>1 2023-11-14T22:13:20.123456Z host tag ${pid} tag - a<b>\n`,
  );
  const counted = line({ 'syslog-format': 'rfc5424', 'syslog-address': 'tcp+tls://h' });
  const [length = '', ...rest] = counted.split(' ');
  assert.equal(Number(length), rest.join(' ').length);
});

test('GelfFormat.encode() writes GELF 1.1 with sorted fields; gelfChunks() cuts it', () => {
  const options = { 'gelf-address': 'udp://h:1', labels: 'lab1' };
  const text = new GelfFormat(info, options).encode(message).toString();
  assert.ok(
    text.startsWith(
      '{"version":"1.1","host":"host","short_message":"a\\u003cb\\u003e","timestamp":1700000000.123,',
    ),
  );
  assert.ok(text.endsWith('"_image_name":"busybox","_lab1":"v1","_tag":"0123456789ab"}'));
  const chunks = gelfChunks(Buffer.alloc(3000, 'x')) ?? [];
  assert.deepEqual(
    chunks.map((chunk) => [chunk.length, chunk[10], chunk[11]]),
    [
      [1420, 0, 3],
      [1420, 1, 3],
      [196, 2, 3],
    ],
  );
  assert.equal(gelfChunks(Buffer.alloc(200_000)), undefined);
});

test('FluentdFormat.encode() packs a message of the forward protocol', () => {
  const packed = new FluentdFormat(info, {}, false).encode(message).toString('latin1');
  assert.ok(packed.startsWith('\x94\xac0123456789ab\xd2\x65\x53\xf1\x00\x84'));
  assert.ok(packed.includes('\xa3log\xa4a<b>') && packed.endsWith('\x80'));
  const exact = new FluentdFormat(info, {}, true).encode(piece).toString('latin1');
  assert.ok(exact.includes('\xd7\x00\x65\x53\xf1\x00\x07\x5b\xcd\x15\x88'));
  assert.ok(exact.includes('\xafpartial_ordinal\xa12') && exact.includes('\xacpartial_last\xa4true'));
});

test('openFluentd() leaves no failure to nobody when its server does not answer any more', async (t) => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const options = { 'fluentd-address': `127.0.0.1:${port}`, 'fluentd-request-ack': 'true' };
  const driver = await openFluentd(info, options);
  await assert.rejects(driver.send([message]));
  await assert.rejects(driver.send([message]));
  driver.close();
  await new Promise(setImmediate);
});

test('JournalFormat.encode() writes fields, with a length where they hold newlines', () => {
  const format = new JournalFormat(info, { labels: 'lab.two' });
  const entry = format.encode({ ...piece, line: Buffer.from('a\rb') }).toString();
  assert.ok(entry.startsWith('MESSAGE=a\rb\n'));
  for (const field of ['PRIORITY=6', 'LAB_TWO=v 2', 'CONTAINER_NAME=web', 'CONTAINER_PARTIAL_LAST=true'])
    assert.ok(entry.includes(`${field}\n`), field);
  assert.ok(!entry.includes('CONTAINER_PARTIAL_MESSAGE'));
  const multi = format.encode({ ...message, line: Buffer.from('a\nb') });
  assert.deepEqual(multi.subarray(0, 20), Buffer.from('MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n'));
});

test('patienceOf() is what the options say', () => {
  const of = (driver: string, options: Record<string, string>): unknown =>
    patienceOf({ driver, options, info });
  assert.deepEqual(of('syslog', {}), { pauseMs: 100, retries: Infinity });
  assert.deepEqual(of('fluentd', { 'fluentd-retry-wait': '2s', 'fluentd-max-retries': '3' }), {
    pauseMs: 2000,
    retries: 3,
  });
  assert.deepEqual(of('gelf', { 'gelf-tcp-reconnect-delay': '4', 'gelf-tcp-max-reconnect': '0' }), {
    pauseMs: 4000,
    retries: 0,
  });
});

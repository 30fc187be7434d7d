// A foreign client's session, from the proto files alone: health, pool, import, match, an error with its details, reflection.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [address, tokenFile, source] = process.argv.slice(2);
const token = fs.readFileSync(tokenFile, 'utf8').trim();
const includeDirs = [path.join(source, 'proto'), path.join(source, 'tests/e2e/node/proto')];
const load = (...files) => grpc.loadPackageDefinition(loader.loadSync(files, { includeDirs, keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true }));
const api = load('warmline/v1/pool_service.proto', 'warmline/v1/member_service.proto', 'warmline/v1/match_service.proto').warmline.v1;
const health = load('health.proto').grpc.health.v1;
const reflection = load('reflection.proto').grpc.reflection.v1alpha;

const credentials = grpc.credentials.createInsecure();
const metadata = new grpc.Metadata();
metadata.set('authorization', `Bearer ${token}`);
const deadline = () => ({ deadline: Date.now() + 20000 });
const call = (client, method, request) => new Promise((resolve, reject) =>
  client[method](request, metadata, deadline(), (error, response) => (error ? reject(error) : resolve(response))));
const operator = { audience: 'OPERATOR' };

async function main() {
  const healthClient = new health.Health(address, credentials);
  for (const service of ['', 'warmline.v1.MatchService', 'warmline.v1.MemberService', 'warmline.v1.NeedService', 'warmline.v1.PoolService']) {
    assert.strictEqual((await call(healthClient, 'Check', { service })).status, 'SERVING', service);
  }

  const pools = new api.PoolService(address, credentials);
  const created = await call(pools, 'CreatePool', { actor: operator, pool: { name: 'pools/node', display_name: 'From Node' }, request_id: 'node-request-1' });
  assert.ok(created.revision);

  const members = new api.MemberService(address, credentials);
  const imported = await new Promise((resolve, reject) => {
    const stream = members.Import(metadata, deadline(), (error, response) => (error ? reject(error) : resolve(response)));
    stream.write({ actor: operator, parent: 'pools/node', vouch: true, rows: [{ member: { name: 'amina', kind: 'PERSON', display_name: 'أمينة' } }] });
    for (let i = 0; i < 300; ++i) {
      stream.write({ rows: [{ member: { name: `h${i}`, kind: 'PERSON', display_name: `Helper ${i}`, interests: [{ interest: 'skill:SQL', strength: (i % 10 + 1) / 10 }],
        offer: { help_kinds: ['ADVICE'], capacity: { open_asks: 2, asks_per_week: 2 }, languages: ['en'], open_to: ['POOL'] } } }] });
    }
    stream.end();
  });
  assert.strictEqual(imported.imported, 301);

  const matches = new api.MatchService(address, credentials);
  const need = { seeker: 'pools/node/members/amina', help_kinds: ['ADVICE'], interests: [{ interest: 'Skill: sql' }] };
  const actor = { audience: 'SEEKER', acting_member: 'pools/node/members/amina' };
  const answer = await call(matches, 'Match', { actor, parent: 'pools/node', inline_need: need, top_k: 5, min_revision: imported.revision });
  assert.strictEqual(answer.matches.length, 5);
  for (const match of answer.matches) {
    assert.strictEqual(match.reasons.reduce((sum, reason) => sum + reason.contribution, 0), match.score);
  }

  const error = await call(matches, 'Match', { actor, parent: 'pools/node', inline_need: { ...need, interests: [] } }).then(() => null, (e) => e);
  assert.strictEqual(error.code, grpc.status.INVALID_ARGUMENT);
  assert.ok(error.metadata.get('grpc-status-details-bin')[0].toString('latin1').includes('INVALID_FIELDS'));

  const services = await new Promise((resolve, reject) => {
    const stream = new reflection.ServerReflection(address, credentials).ServerReflectionInfo(metadata, deadline());
    stream.on('data', (response) => { resolve(response.list_services_response.service.map((s) => s.name)); stream.end(); });
    stream.on('error', reject);
    stream.write({ list_services: '' });
  });
  assert.ok(services.includes('warmline.v1.MatchService'), services.join());
  console.log(`node ${process.version}: health, import of ${imported.imported} rows, a match of ${answer.matches.length}, an error, and reflection: ok`);
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });

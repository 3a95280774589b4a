// Runs in the connector's own environment: calls methods of BillComConnector as asked on stdin.
//
// Request: `credentials` (its Configuration) and `calls` ([method, context] pairs).
// Answer, the last line of stdout: `answers`, one per call, or `error` with its text.
// The connector's host keeps a catalog of BILL's lists in a database. Without one, it is filled
// through the host library's own SeedForTesting from the list of objects that the connector
// exports, with the paths that BILL documents; a host may add any other list of BILL's to its
// catalog, and `lists` names some. Nothing of the client is changed.
import { readFileSync } from 'node:fs';
import { BillComConnector } from '@memberjunction/connector-bill-com';
import { IntegrationEngineBase } from '@memberjunction/integration-engine-base';

const request = JSON.parse(readFileSync(0, 'utf8'));
const integration = '11111111-1111-4111-8111-111111111111';
const connector = new BillComConnector();
const exported = connector.GetIntegrationObjects();
const id = exported[0].Fields.find((field) => field.Name === 'id');
const added = (request.lists ?? []).map((name) => ({ Name: name, Fields: [id] }));
const objects = [...exported, ...added];

IntegrationEngineBase.Instance.SeedForTesting({
  IntegrationObjects: objects.map((object, position) => ({
    ID: `list-${position}`,
    IntegrationID: integration,
    Name: object.Name,
    Status: 'Active',
    Sequence: position,
    APIPath: `/v3/${object.Name}`,
    ResponseDataKey: 'results',
    PaginationType: 'Cursor',
    SupportsPagination: true,
    DefaultPageSize: 100,
    CreateAPIPath: `/v3/${object.Name}`,
    CreateMethod: 'POST',
    CreateBodyShape: 'flat',
    CreateIDLocation: 'body',
    UpdateAPIPath: `/v3/${object.Name}/{id}`,
    UpdateMethod: object.Name === 'customers' ? 'PATCH' : 'PUT',
    UpdateBodyShape: 'flat',
    UpdateIDLocation: 'path',
  })),
  IntegrationObjectFields: objects.flatMap((object, position) =>
    object.Fields.map((field, sequence) => ({
      ...field,
      IntegrationObjectID: `list-${position}`,
      Status: 'Active',
      Sequence: sequence,
    })),
  ),
});

const company = {
  IntegrationID: integration,
  Configuration: JSON.stringify(request.credentials),
};

async function call(name, given) {
  if (name === 'TestConnection') return connector.TestConnection(company, null);
  return connector[name]({ CompanyIntegration: company, ContextUser: null, ...given });
}

// The catalog of the host speaks on stdout; the answer is the last line.
let answer;
try {
  const answers = [];
  for (const [name, given] of request.calls) answers.push(await call(name, given));
  answer = { answers };
} catch (error) {
  answer = { error: { type: error.name, text: error.message } };
}
process.stdout.write(`\n${JSON.stringify(answer)}\n`, () => process.exit(0));

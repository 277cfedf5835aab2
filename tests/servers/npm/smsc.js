// An SMSC made of the npm package smpp. Its settings come as JSON on the command line, orders as lines of JSON on
// standard input; what happens is told as lines of JSON on standard output. tests/servers/npm_smsc.py runs it.
'use strict';

const readline = require('node:readline');
const smpp = require('smpp');

const { password, ids, receipts, throttleEvery, dropEvery, key, cert } = JSON.parse(process.argv[2]);
const BIND = { transceiver: 'both', transmitter: 'out', receiver: 'in' };

const answers = []; // what the next submits are answered with: a status, or "drop"
let submits = 0;
let ear; // the bind that receipts and the texts of phones go to

function tell(event, what) {
  process.stdout.write(JSON.stringify({ event, ...what }) + '\n');
}

function idOf(number) {
  return ids === 'hex' ? number.toString(16).toUpperCase() : String(number);
}

function submitted(session, pdu) {
  submits += 1;
  const number = 0xa0 + submits;
  const { udh = [], message } = pdu.message_payload || pdu.short_message;
  let answer = answers.shift();
  if (answer === undefined && throttleEvery && submits % throttleEvery === 0) answer = smpp.ESME_RTHROTTLED;
  if (answer === undefined && dropEvery && submits % dropEvery === 0) answer = 'drop';
  tell('submit', {
    source: pdu.source_addr,
    destination: pdu.destination_addr,
    coding: pdu.data_coding,
    header: Buffer.concat(udh).toString('hex'),
    text: message,
    taken: answer === undefined,
  });
  if (answer === 'drop') {
    session.destroy();
  } else if (answer !== undefined) {
    session.send(pdu.response({ command_status: answer }));
  } else {
    session.send(pdu.response({ message_id: idOf(number) }));
    if (receipts && ear) ear.deliver_sm(receiptOf(pdu, number), (said) => tell('kept', { status: said.command_status }));
  }
}

function receiptOf(pdu, number) {
  const from = { source_addr_ton: 1, source_addr_npi: 1, source_addr: pdu.destination_addr };
  const to = { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: pdu.source_addr };
  const receipt = { ...from, ...to, esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT };
  if (receipts === 'tlv') {
    return { ...receipt, receipted_message_id: idOf(number), message_state: smpp.MESSAGE_STATE.DELIVERED };
  }
  const id = ids === 'hex' ? String(number).padStart(10, '0') : idOf(number);
  const words = `id:${id} sub:001 dlvrd:001 submit date:2611220139 `
    + 'done date:2611220140 stat:DELIVRD err:000 text:';
  return { ...receipt, data_coding: 0, short_message: words };
}

const server = smpp.createServer({ key, cert }, (session) => {
  for (const [mode, way] of Object.entries(BIND)) {
    session.on(`bind_${mode}`, (pdu) => {
      if (pdu.password !== password) {
        session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
        return;
      }
      session.send(pdu.response({ system_id: 'npm' }));
      if (way !== 'out') ear = session;
      tell('bound', { mode });
    });
  }
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
    tell('unbound');
  });
  session.on('error', (error) => tell('broken', { why: error.code }));
  session.on('close', () => {
    if (ear === session) ear = undefined;
  });
});

const orders = {
  answer: ({ how }) => answers.push(...how),
  deliver: ({ pdu, header }) => {
    const message = header ? { udh: Buffer.from(header, 'hex'), message: pdu.short_message } : pdu.short_message;
    ear.deliver_sm({ ...pdu, short_message: message }, (said) => tell('delivered', { status: said.command_status }));
  },
  enquire: () => ear.enquire_link({}, (said) => tell('alive', { status: said.command_status })),
  unbind: () => ear.unbind({}, (said) => tell('let go', { status: said.command_status })),
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = JSON.parse(line);
    orders[order.do](order);
  })
  .on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => tell('ready', { port: server.address().port }));

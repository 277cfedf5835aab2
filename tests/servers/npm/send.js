// A mail program made of the npm package nodemailer: hands in the mail on standard input, as the options and the
// envelope in JSON on the command line say. tests/smtp/programs.py runs it.
'use strict';

const { readFileSync } = require('node:fs');
const nodemailer = require('nodemailer');

const { options, envelope, dsn } = JSON.parse(process.argv[2]);

nodemailer.createTransport(options).sendMail({ envelope, dsn, raw: readFileSync(0) }).then(
  ({ response }) => console.log(response),
  (error) => {
    console.error(error.response || String(error));
    process.exitCode = 1;
  },
);

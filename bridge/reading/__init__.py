"""The helpers of the parser: headers, addresses, bodies, and the cutting of what nobody wants texted; pure."""

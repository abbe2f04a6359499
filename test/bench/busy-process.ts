/** Keeps one core busy until it is killed. */
for (;;) Math.sqrt(2);

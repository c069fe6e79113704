/** Loaded before a service (`--import`), it has kafkajs loaded as it comes, before the runtime can put faster functions in their places: the floor before them. */
import 'kafkajs'

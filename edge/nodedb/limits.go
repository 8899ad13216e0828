package nodedb

const cacheKB = 8 << 10

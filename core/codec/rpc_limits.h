/* core/codec/rpc_limits.h -- limits of the local socket, shared by the client and the server. */
#ifndef ML_CODEC_RPC_LIMITS_H
#define ML_CODEC_RPC_LIMITS_H

#define ML_RPC_BYTES_MAX   (4u << 20) /* one frame, without its length */
#define ML_TREE_VALUES_MAX 1000000u   /* values in one document: 64 MB of nodes at most */

#endif
